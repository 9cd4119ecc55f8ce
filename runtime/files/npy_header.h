/* SPDX-License-Identifier: Apache-2.0 */
/* npy_header.h -- the head of a .npy file, both ways.
 *
 *   \x93NUMPY  major minor  length (2 bytes, from version 2 on 4)  {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
 *
 * The dictionary is a Python literal; numpy reads it with Python's parser.  Here a small grammar of its own takes the
 * three known keys in any order, numbers and the two truth values, and nothing else: no expressions, no objects, no
 * pickle.  Little- and big-endian numbers and truth values are read; strings, records, complex numbers are refused. */
#ifndef FLOW_NPY_HEADER_H
#define FLOW_NPY_HEADER_H
#include "tensor.h"

enum { FLOW_NPY_MOST_HEADER = 10000, FLOW_NPY_MOST_WRITTEN = 512 };

typedef struct FlowNpyHeader {
  FlowType type;
  bool is_big_endian, is_fortran;
  uint32_t rank;
  uint64_t dim[FLOW_TENSOR_MOST_RANK];
} FlowNpyHeader;

/* The dictionary alone.  `offset` is where it starts in the file, so that messages name the file's byte. */
flow_status flow_npy_header_parse(const char *name, const char *text, size_t size, size_t offset, FlowNpyHeader *header,
                                  flow_error *error);
/* Writes magic, version and dictionary, padded to 64 bytes; returns how many bytes.  `type` must have numpy letters. */
size_t flow_npy_header_write(FlowType type, uint32_t rank, const uint64_t *dim, char to[FLOW_NPY_MOST_WRITTEN]);

#endif
