# SPDX-License-Identifier: Apache-2.0
# cmake -DTEXT=prelude.flow -DTO=prelude.c -P embed.cmake: the bytes of a text as a C array.
file(READ ${TEXT} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(0x[0-9a-f][0-9a-f],0x[0-9a-f][0-9a-f],0x[0-9a-f][0-9a-f],0x[0-9a-f][0-9a-f],0x[0-9a-f][0-9a-f],0x[0-9a-f][0-9a-f],0x[0-9a-f][0-9a-f],0x[0-9a-f][0-9a-f],)" "\\1\n  " bytes "${bytes}")
file(WRITE ${TO} "/* Made from prelude.flow; see lang/check/CMakeLists.txt. */
#include \"check_program.h\"
const char flow_prelude_text[] = {
  ${bytes}0};
const size_t flow_prelude_length = sizeof flow_prelude_text - 1;
")
