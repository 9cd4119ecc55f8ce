// SPDX-License-Identifier: Apache-2.0
// The same in C++: a model as a value that closes itself, failures as exceptions.
//
//   c++ -std=c++17 main.cpp -o cplusplus $(pkg-config --cflags --libs flowrt) && ./cplusplus moons.so
#include <flow/flow.h>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

class Model {
public:
  explicit Model(const std::string &path) {
    flow_error error;
    flowrt_model *opened = nullptr;
    if (flowrt_open(path.c_str(), nullptr, &opened, &error)) throw std::runtime_error(error.text);
    model_.reset(opened);
    if (flowrt_precision(opened) != FLOW_F32) throw std::runtime_error(path + ": this program is for models in f32");
  }
  std::size_t dim() const { return flowrt_dim(model_.get()); }

  std::vector<float> sample(std::size_t count, std::uint64_t seed) const {
    std::vector<float> x(count * dim());
    flowrt_request request = {};
    request.size = sizeof request;
    request.count = count;
    request.seed = seed;
    request.x = x.data();
    flow_error error;
    if (flowrt_sample(model_.get(), &request, &error)) throw std::runtime_error(error.text);
    return x;
  }

private:
  struct Close {
    void operator()(flowrt_model *model) const { flowrt_close(model); }
  };
  std::unique_ptr<flowrt_model, Close> model_;
};

}  // namespace

int main(int argc, char **argv) {
  try {
    const Model model(argc > 1 ? argv[1] : "moons.so");
    const std::vector<float> x = model.sample(5, 1);
    for (std::size_t i = 0; i < x.size(); i++) std::printf("%.9g%c", static_cast<double>(x[i]), (i + 1) % model.dim() ? ' ' : '\n');
  } catch (const std::exception &wrong) {
    std::fprintf(stderr, "%s\n", wrong.what());
    return 1;
  }
}
