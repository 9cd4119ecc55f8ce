#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the bad files of this folder, each with one fault, and expected.txt beside them.

Every case is a name, the bytes, and what the refusal must contain: the place and the words.  Run it in any folder;
it writes safetensors/, npy/, npz/ and csv/ next to itself.  Only the standard library is needed.
"""
import io
import json
import pathlib
import struct
import zipfile

HERE = pathlib.Path(__file__).resolve().parent


# --- safetensors ------------------------------------------------------------------------------------------------------

def st(header, data=b"", length=None):
    """A file with this header (text, bytes or a dictionary) and, unless told otherwise, its true length."""
    if isinstance(header, dict):
        header = json.dumps(header, separators=(",", ":"))
    if isinstance(header, str):
        header = header.encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def entry(dtype="F32", shape=(2,), begin=0, end=8, **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end], **more}


def one(**changes):
    return st({"a": {**entry(), **changes}}, bytes(8))


def one_without(key):
    description = entry()
    del description[key]
    return st({"a": description}, bytes(8))


def raw(description, data=bytes(8)):
    return st('{"a":' + description + "}", data)


GOOD_TEXT = '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
TWO = {"a": entry(), "b": entry("F32", (2,), 8, 16)}

SAFETENSORS = {
    # the file's frame
    "empty": (b"", "byte 0: the file ends inside the header's length of 8 bytes"),
    "one_byte": (b"\x02", "byte 1: the file ends inside the header's length"),
    "seven_bytes": (bytes(7), "byte 7: the file ends inside the header's length"),
    "length_alone": (struct.pack("<Q", 10), "byte 0: a header of 10 bytes, but only 0 follow"),
    "length_zero": (struct.pack("<Q", 0), "byte 8: the header must be a JSON object: '{' should be here"),
    "length_one_too_long": (st(GOOD_TEXT, b"", len(GOOD_TEXT) + 1), "byte 0: a header of 55 bytes, but only 54 follow"),
    "length_one_too_short": (st(GOOD_TEXT, bytes(8), len(GOOD_TEXT) - 1), "byte 61: ',' or '}' should be here"),
    "length_all_ones": (st(GOOD_TEXT, bytes(8), 2**64 - 1), "byte 0: a header of 18446744073709551615 bytes"),
    "length_2_63": (st(GOOD_TEXT, bytes(8), 2**63), "byte 0: a header of 9223372036854775808 bytes"),
    "length_wraps_with_8": (st(GOOD_TEXT, bytes(8), 2**64 - 8), "byte 0: a header of 18446744073709551608 bytes"),
    "length_4_gib": (st(GOOD_TEXT, bytes(8), 2**32), "byte 0: a header of 4294967296 bytes, but only 62 follow"),
    "length_big_endian": (struct.pack(">Q", 54) + GOOD_TEXT.encode() + bytes(8), "byte 0: a header of"),
    "zip_inside": (b"PK\3\4" + bytes(40), "it looks like a zip or PyTorch file"),
    # the JSON
    "not_json": (st("hello, world"), "byte 8: the header must be a JSON object"),
    "array": (st("[]"), "byte 8: the header must be a JSON object"),
    "string": (st('"a"'), "byte 8: the header must be a JSON object"),
    "null": (st("null"), "byte 8: the header must be a JSON object"),
    "nul_bytes": (st(bytes(16)), "byte 8: the header must be a JSON object"),
    "nul_padding": (st(b"{}" + bytes(6)), "byte 10: only blanks may follow"),
    "byte_order_mark": (st(b"\xef\xbb\xbf{}"), "byte 8: the header must be a JSON object"),
    "unclosed": (st("{"), "byte 9: a string in quotes should be here"),
    "unclosed_after_entry": (st(GOOD_TEXT[:-1], bytes(8)), "byte 61: ',' or '}' should be here"),
    "trailing_comma": (st(GOOD_TEXT[:-1] + ",}", bytes(8)), "byte 62: a string in quotes should be here"),
    "two_objects": (st("{}{}"), "byte 10: only blanks may follow"),
    "second_object_behind": (st(GOOD_TEXT + GOOD_TEXT, bytes(8)), "byte 62: only blanks may follow"),
    "text_behind": (st("{} x"), "byte 11: only blanks may follow"),
    "comment": (st("{/* */}"), "byte 9: a string in quotes should be here"),
    "single_quotes": (st("{'a':1}"), "byte 9: a string in quotes should be here"),
    "name_is_a_number": (st("{1:2}"), "byte 9: a string in quotes should be here"),
    "no_colon": (st('{"a" 1}'), "byte 13: ':' is missing after a name"),
    "name_unclosed": (st('{"a'), "byte 11: 'premature end of input"),
    "name_broken_utf8": (st(b'{"\xff":1}'), "'unable to decode byte 0xff"),
    "name_overlong_utf8": (st(b'{"\xc0\xaf":1}'), "'unable to decode byte 0xc0"),
    "name_surrogate": (st(b'{"\\ud800":1}'), "invalid Unicode"),
    "name_raw_surrogate": (st(b'{"\xed\xa0\x80":1}'), "unable to decode byte"),
    "name_nul": (st(b'{"a\\u0000b":1}'), "\\u0000 is not allowed"),
    "name_raw_newline": (st('{"a\nb":1}'), "unexpected newline"),
    "name_control": (st('{"a\x01b":1}'), "control character 0x1"),
    "name_bad_escape": (st('{"a\\xb":1}'), "invalid escape"),
    "name_twice": (st('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],'
                      '"data_offsets":[4,8]}}', bytes(8)), "byte 8: the name 'a' is given to two arrays"),
    "name_twice_escaped": (st('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0061":{"dtype":"F32",'
                              '"shape":[1],"data_offsets":[4,8]}}', bytes(8)), "the name 'a' is given to two arrays"),
    "name_twice_same_range": (st('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],'
                                 '"data_offsets":[0,0]}}'), "the name 'a' is given to two arrays"),
    "name_twice_two_views": (st('{"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],'
                                '"data_offsets":[0,4]}}', bytes(4)), "the array 'w' begins at 0; it overlaps"),
    "name_escape_sequence": (st('{"\\u001b[31mred":{"dtype":"X"}}'), "the array '\\x1B[31mred': the type 'X' is unknown"),
    "deep_nesting": (st('{"a":' + "[" * 3000), "byte 2062: 'maximum parsing depth reached"),
    "deep_objects": (st('{"a":' + '{"a":' * 700 + "1" + "}" * 701), "byte 13: a JSON value of more than 4096 bytes here"),
    "description_too_long": (raw('{"dtype":"F32","shape":[' + "0," * 3000 + "0]}"),
                             "byte 13: a JSON value of more than 4096 bytes here"),
    # the description
    "description_number": (raw("1"), "byte 13: the array 'a': its description must be an object"),
    "description_null": (raw("null"), "the array 'a': its description must be an object"),
    "description_list": (raw("[]"), "the array 'a': its description must be an object"),
    "description_empty": (raw("{}"), "the array 'a': 'dtype' must be there and be a string"),
    "description_extra_key": (one(extra=1), "a key that is none of 'dtype', 'shape', 'data_offsets'"),
    "description_key_twice": (raw('{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}'), "duplicate object key"),
    "description_wrong_case": (raw('{"Dtype":"F32","shape":[2],"data_offsets":[0,8]}'), "a key that is none of"),
    "dtype_missing": (one_without("dtype"), "'dtype' must be there and be a string"),
    "dtype_number": (one(dtype=4), "'dtype' must be there and be a string"),
    "dtype_null": (one(dtype=None), "'dtype' must be there and be a string"),
    "dtype_unknown": (one(dtype="F8"), "the type 'F8' is unknown; known are F64 F32 F16 BF16"),
    "dtype_lower_case": (one(dtype="f32"), "the type 'f32' is unknown"),
    "dtype_fp8": (one(dtype="F8_E4M3"), "the type 'F8_E4M3' is unknown"),
    "dtype_empty": (one(dtype=""), "the type '' is unknown"),
    "dtype_with_space": (one(dtype="F32 "), "the type 'F32 ' is unknown"),
    "dtype_complex": (one(dtype="C64"), "the type 'C64' is unknown"),
    "shape_missing": (one_without("shape"), "'shape' must be there and be a list"),
    "shape_number": (one(shape=2), "'shape' must be there and be a list"),
    "shape_object": (one(shape={}), "'shape' must be there and be a list"),
    "shape_negative": (one(shape=[-2]), "a dimension must be a whole number from 0 on"),
    "shape_two_negatives": (one(shape=[-1, -2]), "a dimension must be a whole number from 0 on"),
    "shape_fraction": (one(shape=[2.0]), "a dimension must be a whole number from 0 on"),
    "shape_exponent": (raw('{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}'), "a dimension must be a whole number"),
    "shape_string": (one(shape=["2"]), "a dimension must be a whole number from 0 on"),
    "shape_true": (one(shape=[True, 2]), "a dimension must be a whole number from 0 on"),
    "shape_null": (one(shape=[None]), "a dimension must be a whole number from 0 on"),
    "shape_nested": (one(shape=[[2]]), "a dimension must be a whole number from 0 on"),
    "shape_nine_axes": (one(shape=[1] * 8 + [2]), "more than 8 dimensions; at most 8 are read"),
    "shape_2_64": (raw('{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8]}'), "too big integer"),
    "shape_2_63": (raw('{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}'), "too big integer"),
    "shape_product_wraps": (one(shape=[2**32, 2**32]), "the shape has more numbers than 63 bits can count"),
    "shape_product_wraps_to_2": (one(shape=[2**62, 4, 2]), "the shape has more numbers than 63 bits can count"),
    "shape_bytes_wrap": (one(shape=[2**62]), "the shape has more numbers than 63 bits can count"),
    "shape_bytes_wrap_to_8": (one(shape=[2**62 + 2]), "the shape has more numbers than 63 bits can count"),
    "shape_max": (one(shape=[2**63 - 1]), "the shape has more numbers than 63 bits can count"),
    "shape_too_large": (one(shape=[3]), "shape and type need 12 bytes, 'data_offsets' give it 8"),
    "shape_too_small": (one(shape=[1]), "shape and type need 4 bytes, 'data_offsets' give it 8"),
    "shape_zero_with_data": (one(shape=[0]), "shape and type need 0 bytes, 'data_offsets' give it 8"),
    "shape_scalar_with_data": (one(shape=[]), "shape and type need 4 bytes, 'data_offsets' give it 8"),
    "dtype_wider_than_data": (one(dtype="F64"), "shape and type need 16 bytes, 'data_offsets' give it 8"),
    # the ranges
    "range_missing": (one_without("data_offsets"), "'data_offsets' must be there and be two whole numbers"),
    "range_one_number": (one(data_offsets=[0]), "'data_offsets' must be there and be two whole numbers"),
    "range_three_numbers": (one(data_offsets=[0, 8, 8]), "'data_offsets' must be there and be two whole numbers"),
    "range_object": (one(data_offsets={"0": 8}), "'data_offsets' must be there and be two whole numbers"),
    "range_negative": (one(data_offsets=[-8, 0]), "'data_offsets' must be there and be two whole numbers"),
    "range_fraction": (one(data_offsets=[0, 8.0]), "'data_offsets' must be there and be two whole numbers"),
    "range_strings": (one(data_offsets=["0", "8"]), "'data_offsets' must be there and be two whole numbers"),
    "range_reversed": (one(data_offsets=[8, 0]), "'data_offsets' end before they begin"),
    "range_beyond_end": (st({"a": entry()}, bytes(7)), "its data end at byte 8 of the data, which has 7"),
    "range_far_beyond": (one(shape=[2], data_offsets=[2**62, 2**62 + 8]), "its data end at byte 4611686018427387912"),
    "range_max": (one(data_offsets=[0, 2**63 - 1]), "its data end at byte 9223372036854775807 of the data"),
    "range_no_data": (st({"a": entry()}), "its data end at byte 8 of the data, which has 0"),
    "range_starts_late": (st({"a": entry("F32", (2,), 4, 12)}, bytes(12)),
                          "byte 0 of the data: the array 'a' begins at 4; it leaves a hole"),
    "range_hole": (st({"a": entry(), "b": entry("F32", (2,), 12, 20)}, bytes(20)),
                   "byte 8 of the data: the array 'b' begins at 12; it leaves a hole"),
    "range_overlap": (st({"a": entry(), "b": entry("F32", (2,), 4, 12)}, bytes(12)),
                      "byte 8 of the data: the array 'b' begins at 4; it overlaps the one before"),
    "range_same_twice": (st({"a": entry(), "b": entry()}, bytes(8)), "the array 'b' begins at 0; it overlaps"),
    "range_inside": (st({"a": entry("F32", (4,), 0, 16), "b": entry("F32", (1,), 4, 8)}, bytes(16)),
                     "the array 'b' begins at 4; it overlaps"),
    "range_empty_inside": (st({"a": entry(), "b": entry("F32", (0,), 4, 4)}, bytes(8)),
                           "the array 'b' begins at 4; it overlaps"),
    "range_empty_beyond": (st({"a": entry("F32", (0,), 4, 4)}), "its data end at byte 4 of the data, which has 0"),
    "bytes_behind": (st({"a": entry()}, bytes(9)), "byte 8 of the data: 1 bytes follow the last array"),
    "bytes_without_tensors": (st({}, bytes(5)), "byte 0 of the data: 5 bytes follow the last array"),
    "zip_behind": (st(TWO, bytes(16) + b"PK\5\6" + bytes(18)), "byte 16 of the data: 22 bytes follow the last array"),
    # __metadata__
    "metadata_number": (st('{"__metadata__":1}'), "byte 24: __metadata__ must be an object of strings"),
    "metadata_list": (st('{"__metadata__":[]}'), "byte 24: __metadata__ must be an object of strings"),
    "metadata_value_number": (st('{"__metadata__":{"a":1}}'), "byte 29: a string in quotes should be here"),
    "metadata_value_object": (st('{"__metadata__":{"a":{}}}'), "byte 29: a string in quotes should be here"),
    "metadata_value_null": (st('{"__metadata__":{"a":null}}'), "byte 29: a string in quotes should be here"),
    "metadata_twice": (st('{"__metadata__":{},"__metadata__":{}}'), "byte 27: __metadata__ has been given before"),
    "metadata_key_twice": (st('{"__metadata__":{"a":"b","a":"c"}}'), "byte 24: __metadata__ has the key 'a' twice"),
    "metadata_unclosed": (st('{"__metadata__":{"a":"b"'), "byte 32: ',' or '}' should be here"),
    "metadata_no_colon": (st('{"__metadata__":{"a","b"}}'), "byte 28: ':' is missing after a key"),
    "metadata_as_tensor": (st({"__metadata__": entry()}, bytes(8)), "a string in quotes should be here"),
    "metadata_bad_utf8": (st(b'{"__metadata__":{"a":"\xfe"}}'), "unable to decode byte 0xfe"),
}

# --- npy --------------------------------------------------------------------------------------------------------------

GOOD_DICT = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"


def npy(text=GOOD_DICT, data=bytes(8), version=(1, 0), length=None, magic=b"\x93NUMPY"):
    if isinstance(text, str):
        text = text.encode("utf-8")
    form = "<H" if version[0] == 1 else "<I"
    return magic + bytes(version) + struct.pack(form, len(text) if length is None else length) + text + data


def descr(text, data=bytes(8)):
    return npy("{'descr': " + text + ", 'fortran_order': False, 'shape': (2,), }", data)


def shape(text, data=bytes(8)):
    return npy("{'descr': '<f4', 'fortran_order': False, 'shape': " + text + ", }", data)


NPY = {
    "empty": (b"", "byte 0: the file ends 8 bytes too early"),
    "magic_alone": (b"\x93NUMPY", "byte 6: the file ends 2 bytes too early"),
    "twelve_bytes": (b"\x93NUMPY\2\0\xff\xff\xff\xff", "byte 8: a header of 4294967295 bytes; at most 10000 are read"),
    "wrong_magic": (npy(magic=b"\x92NUMPY"), "byte 0: a .npy file starts with \\x93NUMPY"),
    "lower_case_magic": (npy(magic=b"\x93numpy"), "byte 0: a .npy file starts with"),
    "zip": (b"PK\3\4" + bytes(60), "it looks like a .npz"),
    "text": (b"1.0,2.0\n3.0,4.0\n", "byte 0: a .npy file starts with"),
    "version_0": (npy(version=(0, 0)), "byte 6: version 0.0 is unknown; 1.0, 2.0 and 3.0 are read"),
    "version_1_1": (npy(version=(1, 1)), "byte 6: version 1.1 is unknown"),
    "version_4": (npy(version=(4, 0)), "byte 6: version 4.0 is unknown"),
    "version_255": (npy(version=(255, 255)), "byte 6: version 255.255 is unknown"),
    "no_length": (b"\x93NUMPY\1\0", "byte 8: the file ends 2 bytes too early"),
    "half_length": (b"\x93NUMPY\2\0\x10\0", "byte 10: the file ends 2 bytes too early"),
    "length_beyond_end": (npy(length=9000), "byte 75: the file ends"),
    "length_above_cap": (npy(" " * 10001 + GOOD_DICT), "byte 8: a header of 10058 bytes; at most 10000 are read"),
    "length_above_cap_v2": (npy(version=(2, 0), length=10001), "byte 8: a header of 10001 bytes"),
    "length_zero": (npy(""), "byte 10: the header must start with '{'"),
    "length_too_short": (npy(length=len(GOOD_DICT) - 1), "byte 66: a key in quotes or '}' should be here"),
    "header_list": (npy("['descr']"), "byte 10: the header must start with '{'"),
    "header_number": (npy("12"), "byte 10: the header must start with '{'"),
    "header_unclosed": (npy(GOOD_DICT[:-1]), "byte 66: a key in quotes or '}' should be here"),
    "header_no_commas": (npy("{'descr': '<f4' 'fortran_order': False}"), "byte 26: ',' or '}' is missing"),
    "header_no_colon": (npy("{'descr' '<f4'}"), "byte 19: ':' is missing after a key"),
    "header_text_behind": (npy(GOOD_DICT + "x"), "byte 67: only spaces may follow the header's '}'"),
    "header_nul": (npy(GOOD_DICT + "\0"), "byte 67: only spaces may follow"),
    "header_two_dicts": (npy(GOOD_DICT + GOOD_DICT), "byte 67: only spaces may follow"),
    "header_comment": (npy("{# hello\n" + GOOD_DICT[1:]), "byte 11: a key in quotes or '}' should be here"),
    "header_call": (npy("dict(descr='<f4')"), "byte 10: the header must start with '{'"),
    "header_expression": (npy("{'descr': __import__('os').system('id'), 'fortran_order': False, 'shape': (2,)}"),
                          "byte 20: 'descr' must be a string"),
    "key_unknown": (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'extra': 1}"),
                    "byte 66: the key 'extra' is unknown"),
    "key_twice": (npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}"),
                  "byte 27: this key has been given before"),
    "key_number": (npy("{1: 2}"), "byte 11: a key in quotes or '}' should be here"),
    "key_unclosed": (npy("{'descr"), "byte 11: a key in quotes or '}' should be here"),
    "key_bytes": (npy("{b'descr': '<f4'}"), "byte 11: a key in quotes"),
    "no_descr": (npy("{'fortran_order': False, 'shape': (2,)}"), "byte 10: the header has no 'descr'"),
    "no_order": (npy("{'descr': '<f4', 'shape': (2,)}"), "byte 10: the header has no 'fortran_order'"),
    "no_shape": (npy("{'descr': '<f4', 'fortran_order': False}"), "byte 10: the header has no 'shape'"),
    "no_keys": (npy("{}"), "byte 10: the header has no 'descr'"),
    "descr_object": (descr("'|O'"), "byte 20: the type '|O': objects (pickled Python code) are never read"),
    "descr_object_8": (descr("'O8'"), "objects (pickled Python code) are never read"),
    "descr_record": (descr("[('x', '<f4'), ('y', '<f4')]"), "byte 20: 'descr' is a list: records are not read"),
    "descr_unicode": (descr("'<U4'"), "the type '<U4': strings are not numbers"),
    "descr_bytes": (descr("'|S4'"), "the type '|S4': strings are not numbers"),
    "descr_complex": (descr("'<c8'"), "the type '<c8': complex numbers are not read"),
    "descr_void": (descr("'|V2'"), "the type '|V2': raw bytes have no type"),
    "descr_date": (descr("'<M8[ns]'"), "dates and times are not read"),
    "descr_duration": (descr("'<m8'"), "dates and times are not read"),
    "descr_long_double": (descr("'<f16'"), "floating point has 2, 4 or 8 bytes here"),
    "descr_f1": (descr("'<f1'"), "floating point has 2, 4 or 8 bytes here"),
    "descr_i3": (descr("'<i3'"), "the type '<i3': not a number type"),
    "descr_no_order": (descr("'f4'"), "the type 'f4'"),
    "descr_bar_f4": (descr("'|f4'"), "the type '|f4'"),
    "descr_empty": (descr("''"), "byte 20: the type ''"),
    "descr_none": (descr("None"), "byte 20: 'descr' must be a string"),
    "descr_tuple": (descr("('<f4', (2,))"), "byte 20: 'descr' must be a string"),
    "descr_comma": (descr("'<f4,<f4'"), "the type '<f4,<f4'"),
    "descr_escape_sequence": (descr("'\x1b[31m'"), "the type '\\x1B[31m'"),
    "order_number": (npy("{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}"),
                     "byte 44: 'fortran_order' must be True or False"),
    "order_string": (npy("{'descr': '<f4', 'fortran_order': 'False', 'shape': (2,)}"), "must be True or False"),
    "order_lower_case": (npy("{'descr': '<f4', 'fortran_order': false, 'shape': (2,)}"), "must be True or False"),
    "order_word_goes_on": (npy("{'descr': '<f4', 'fortran_order': Falsehood, 'shape': (2,)}"),
                           "byte 49: ',' or '}' is missing"),
    "shape_list": (shape("[2]"), "byte 60: 'shape' must be a tuple"),
    "shape_number": (shape("2"), "byte 60: 'shape' must be a tuple"),
    "shape_not_a_tuple": (shape("(2)"), "byte 60: 'shape' is not a tuple: (N) should be (N,)"),
    "shape_comma_alone": (shape("(,)"), "byte 61: a dimension must be a whole number"),
    "shape_two_commas": (shape("(2,,)"), "byte 63: a dimension must be a whole number"),
    "shape_no_comma": (shape("(2 1)"), "byte 63: ',' or ')' is missing in 'shape'"),
    "shape_unclosed": (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,"), "a dimension must be a whole number"),
    "shape_negative": (shape("(-2,)"), "byte 61: a dimension is negative"),
    "shape_two_negatives": (shape("(-1, -2)"), "byte 61: a dimension is negative"),
    "shape_fraction": (shape("(2.0,)"), "byte 62: ',' or ')' is missing"),
    "shape_hexadecimal": (shape("(0x2,)"), "byte 62: ',' or ')' is missing"),
    "shape_expression": (shape("(1+1,)"), "byte 62: ',' or ')' is missing"),
    "shape_nested": (shape("((2,),)"), "byte 61: a dimension must be a whole number"),
    "shape_true": (shape("(True, 2)"), "byte 61: a dimension must be a whole number"),
    "shape_nine_axes": (shape("(1,1,1,1,1,1,1,1,2)"), "byte 77: more than 8 dimensions"),
    "shape_2_63": (shape("(9223372036854775808,)"), "byte 61: a dimension does not fit 63 bits"),
    "shape_2_64": (shape("(18446744073709551616,)"), "byte 61: a dimension does not fit 63 bits"),
    "shape_40_digits": (shape("(" + "1" * 40 + ",)"), "byte 61: a dimension does not fit 63 bits"),
    "shape_product_wraps": (shape("(4294967296, 4294967296)"), "the shape has more numbers than 63 bits can count"),
    "shape_bytes_wrap": (shape("(4611686018427387906,)"), "the shape has more numbers than 63 bits can count"),
    "shape_huge": (shape("(1000000000000,)"), "the shape needs 4000000000000 bytes of numbers, but 8 follow"),
    "shape_too_large": (shape("(3,)"), "the shape needs 12 bytes of numbers, but 8 follow"),
    "shape_too_small": (shape("(1,)"), "the shape needs 4 bytes of numbers, but 8 follow"),
    "shape_zero_with_data": (shape("(0,)"), "the shape needs 0 bytes of numbers, but 8 follow"),
    "shape_scalar_with_data": (shape("()"), "the shape needs 4 bytes of numbers, but 8 follow"),
    "data_missing": (npy(data=b""), "byte 67: the shape needs 8 bytes of numbers, but 0 follow"),
    "data_cut": (npy(data=bytes(7)), "byte 67: the shape needs 8 bytes of numbers, but 7 follow"),
    "data_and_more": (npy() + npy(), "byte 67: the shape needs 8 bytes of numbers, but 83 follow"),
}

# --- npz --------------------------------------------------------------------------------------------------------------


def zipped(members, method=zipfile.ZIP_STORED, comment=b""):
    """A zip of (name, bytes) pairs."""
    to = io.BytesIO()
    with zipfile.ZipFile(to, "w", method) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = method
            archive.writestr(info, data)
        archive.comment = comment
    return to.getvalue()


def patched(data, offset, form, *values):
    """`data` with other numbers at `offset` (from the end where negative)."""
    data = bytearray(data)
    struct.pack_into(form, data, offset if offset >= 0 else len(data) + offset, *values)
    return bytes(data)


A = ("a.npy", npy())
ZIP = zipped([A])
CENTRAL = ZIP.index(b"PK\1\2")
DEFLATED = zipped([("a.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000,), }", bytes(4000)))],
                  zipfile.ZIP_DEFLATED)
DEFLATED_CENTRAL = DEFLATED.index(b"PK\1\2")
END64 = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1, 1, len(ZIP) - 22 - CENTRAL, CENTRAL)


def with_end64(record, at=None):
    """ZIP with a 64-bit end record and its locator before the end."""
    at = len(ZIP) - 22 if at is None else at
    return ZIP[:-22] + record + b"PK\6\7" + struct.pack("<IQI", 0, at, 1) + ZIP[-22:]


def overlapping():
    """Two names in the directory for one stored member: more is claimed than the file has."""
    small = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (900,), }", bytes(900))
    one_file = zipped([("a.npy", small)])
    central = one_file.index(b"PK\1\2")
    record, end = one_file[central:-22], one_file[-22:]
    other = record.replace(b"a.npy", b"b.npy")
    return one_file[:central] + record + other + patched(end, 8, "<HHI", 2, 2, 2 * len(record))


NPZ = {
    "empty": (b"", "byte 0: no zip (.npz) ends here"),
    "text": (b"hello, world, this is not a zip file at all", "no zip (.npz) ends here"),
    "npy_inside": (npy(), "no zip (.npz) ends here"),
    "no_end": (ZIP[:-22], "no zip (.npz) ends here: its end record is missing"),
    "end_cut": (ZIP[:-1], "no zip (.npz) ends here"),
    "byte_behind": (ZIP + b"x", "no zip (.npz) ends here"),
    "comment_cut": (zipped([A], comment=b"hello")[:-1], "no zip (.npz) ends here"),
    "members_65535_claimed": (patched(ZIP, -14, "<HH", 65535, 65535), "the zip's directory is too short for the members"),
    "members_2_claimed": (patched(ZIP, -14, "<HH", 2, 2), "the zip's directory is too short for the members"),
    "members_disagree": (patched(ZIP, -14, "<HH", 0, 1), "a zip in several parts"),
    "second_disk": (patched(ZIP, -18, "<HH", 1, 1), "a zip in several parts"),
    "directory_beyond_end": (patched(ZIP, -6, "<I", len(ZIP)), "the zip's directory does not lie inside the file"),
    "directory_offset_max": (patched(ZIP, -6, "<I", 2**32 - 2), "the zip's directory does not lie inside the file"),
    "directory_size_max": (patched(ZIP, -10, "<I", 2**32 - 2), "the zip's directory does not lie inside the file"),
    "directory_elsewhere": (patched(ZIP, -6, "<I", 0), "the zip is damaged"),
    "directory_signature": (patched(ZIP, CENTRAL, "<I", 0), "the zip is damaged"),
    "end64_many_members": (with_end64(patched(END64, 24, "<QQ", 2**32, 2**32)),
                           "the zip claims 4294967296 members; at most 65535 are read"),
    "end64_max_members": (with_end64(patched(END64, 24, "<QQ", 2**64 - 1, 2**64 - 1)),
                          "the zip claims 18446744073709551615 members"),
    "end64_65536_members": (with_end64(patched(END64, 24, "<QQ", 65536, 65536)), "the zip claims 65536 members"),
    "end64_size_wraps": (with_end64(patched(END64, 40, "<QQ", 2**64 - 1, 2)),
                         "the zip's directory does not lie inside the file"),
    "end64_beyond_end": (with_end64(END64, 2**63), "the zip's 64-bit end does not lie inside the file"),
    "end64_wraps": (with_end64(END64, 2**64 - 1), "the zip's 64-bit end does not lie inside the file"),
    "end64_signature": (with_end64(patched(END64, 0, "<I", 0)), "the zip's 64-bit end should be here"),
    "end64_disagrees": (with_end64(patched(END64, 24, "<QQ", 0, 1)), "a zip in several parts"),
    "local_beyond_end": (patched(ZIP, CENTRAL + 42, "<I", len(ZIP) - 10), "member 'a.npy'"),
    "name_not_npy": (zipped([("a.txt", b"hello")]), "member 'a.txt': is not an array: its name does not end in .npy"),
    "name_empty": (zipped([("", npy())]), "is not an array"),
    "name_suffix_upper": (zipped([("a.NPY", npy())]), "member 'a.NPY': is not an array"),
    "pickle_member": (zipped([("data.pkl", b"\x80\2}q\0.")]), "member 'data.pkl': is not an array"),
    "name_escape_sequence": (zipped([("\x1b[31m.txt", b"x")]), "member '←[31m.txt': is not an array"),
    "name_twice": (zipped([A, ("b.npy", npy())]).replace(b"b.npy", b"a.npy"),
                   "member 'a': the name is given to two arrays"),
    "size_larger_stored": (patched(ZIP, CENTRAL + 24, "<I", 10**9), "member 'a.npy': claims 1000000000 bytes, which cannot"),
    "size_smaller_stored": (patched(ZIP, CENTRAL + 24, "<I", 10), "member 'a.npy': claims 10 bytes, which cannot"),
    "size_bomb_claimed": (patched(DEFLATED, DEFLATED_CENTRAL + 24, "<I", 4 * 10**9),
                          "member 'a.npy': claims 4000000000 bytes, which cannot come from"),
    "size_larger_deflated": (patched(DEFLATED, DEFLATED_CENTRAL + 24, "<I", 4100), "the shape needs 4000 bytes"),
    "size_smaller_deflated": (patched(DEFLATED, DEFLATED_CENTRAL + 24, "<I", 100), "the shape needs 4000 bytes"),
    "packed_longer_than_file": (patched(ZIP, CENTRAL + 20, "<II", 10**9, 10**9), "together longer than the file"),
    "overlapping": (overlapping(), "member 'b.npy': the members are together longer than the file"),
    "method_bzip2": (zipped([A], zipfile.ZIP_BZIP2), "member 'a.npy': packed in a way that is not read"),
    "method_lzma": (zipped([A], zipfile.ZIP_LZMA), "member 'a.npy': packed in a way that is not read"),
    "method_unknown": (patched(ZIP, CENTRAL + 10, "<H", 77), "member 'a.npy': packed in a way that is not read"),
    "encrypted": (patched(patched(ZIP, CENTRAL + 8, "<H", 1), 6, "<H", 1), "member 'a.npy': is encrypted"),
    "checksum_stored": (patched(ZIP, CENTRAL + 16, "<I", 1), "member 'a.npy'"),
    "data_changed": (patched(ZIP, CENTRAL - 1, "<B", 1), "member 'a.npy': byte 75: cannot be unpacked: CRC error"),
    "deflate_damaged": (patched(DEFLATED, 40, "<I", 2**32 - 1), "cannot be unpacked"),
    "member_empty": (zipped([("a.npy", b"")]), "member 'a.npy': byte 0: the file ends 8 bytes too early"),
    "member_not_npy": (zipped([("a.npy", b"hello, world")]), "member 'a.npy': byte 0: a .npy file starts with"),
    "member_object": (zipped([("a.npy", descr("'|O'"))]), "member 'a.npy': byte 20: the type '|O': objects"),
    "member_data_cut": (zipped([("a.npy", npy(data=bytes(4)))]), "member 'a.npy': byte 67: the shape needs 8 bytes"),
    "member_data_and_more": (zipped([("a.npy", npy(data=bytes(12)))]), "the shape needs 8 bytes of numbers, but 12 follow"),
    "member_shape_huge": (zipped([("a.npy", shape("(1000000000000,)"))]), "the shape needs 4000000000000 bytes"),
    "member_header_huge": (zipped([("a.npy", npy(version=(2, 0), length=2**32 - 1))]), "byte 8: a header of 4294967295"),
    "second_member_bad": (zipped([A, ("b.npy", b"junk")]), "member 'b.npy': byte 4: the file ends 4 bytes too early"),
}

# --- csv --------------------------------------------------------------------------------------------------------------

CSV = {
    "empty": (b"", ":1:1: there are no numbers in this file"),
    "blank": (b" \n\n \r\n", ":1:1: there are no numbers in this file"),
    "word": (b"1,2\n3,x\n", ":2:3: 'x' is not a number"),
    "word_in_first_row": (b"1,two\n3,4\n", ":1:3: 'two' is not a number"),
    "word_before_number": (b"x,2\n3,4\n", ":1:1: 'x' is not a number"),
    "two_headers": (b"x,y\na,b\n1,2\n", ":2:1: 'a' is not a number"),
    "too_few_fields": (b"1,2,3\n4,5\n", ":2:1: this row has 2 fields, those before have 3"),
    "too_many_fields": (b"1,2\n3,4,5\n", ":2:1: this row has 3 fields, those before have 2"),
    "header_longer": (b"x,y,z\n1,2\n", ":2:1: this row has 2 fields, those before have 3"),
    "trailing_comma": (b"1,2\n3,4,\n", ":2:1: this row has 3 fields"),
    "missing_number": (b"1,2,3\n4,,6\n", ":2:3: a number is missing"),
    "all_missing": (b"1,,,,,,,,\n,,,,,,,,\n", ":1:3: a number is missing"),
    "empty_line": (b"1,2\n\n3,4\n", ":2:1: an empty line between rows"),
    "semicolons": (b"1;2\n3;4\n5,6\n", ":2:1: '3;4' is not a number; fields are separated by ',' and not by ';'"),
    "decimal_comma": (b"1,5\n2,5,7\n", ":2:1: this row has 3 fields"),
    "tabs": (b"x\n1\t2\n", ":2:1: '1\\x092' is not a number; fields are separated by ',' and not by tabs"),
    "quotes": (b'x,y\n"1","2"\n', ":2:1: '\"1\"' is not a number; numbers are not quoted here"),
    "hexadecimal": (b"1\n0x10\n", ":2:1: '0x10' is not a number"),
    "nan_payload": (b"1\nnan(1)\n", ":2:1: 'nan(1)' is not a number"),
    "two_points": (b"1\n1.2.3\n", ":2:1: '1.2.3' is not a number"),
    "exponent_cut": (b"1\n1e\n", ":2:1: '1e' is not a number"),
    "exponent_sign_cut": (b"1\n1e+\n", ":2:1: '1e+' is not a number"),
    "sign_alone": (b"1\n-\n", ":2:1: '-' is not a number"),
    "two_signs": (b"1\n--1\n", ":2:1: '--1' is not a number"),
    "point_alone": (b"1\n.\n", ":2:1: '.' is not a number"),
    "too_large": (b"1\n1e999\n", ":2:1: '1e999' is beyond the largest double"),
    "too_large_negative": (b"1\n 2\n  -1e400\n", ":3:3: '-1e400' is beyond the largest double"),
    "nul": (b"1,2\n3,\0\n", ":2:3: '\\x00' is not a number"),
    "nul_after_number": (b"1,2\n3,4\0\n", ":2:3: '4\\x00' is not a number"),
    "broken_utf8": (b"1,2\n3,\xff\n", ":2:3: '\\xFF' is not a number"),
    "utf16": ("1,2\n3,4\n".encode("utf-16"), ":2:1: '\\x003\\x00' is not a number"),
    "space_inside": (b"1,2\n3,4 5\n", ":2:3: '4 5' is not a number"),
    "underscore": (b"1\n1_000\n", ":2:1: '1_000' is not a number"),
    "long_field": (b"1\n" + b"1" * 2000 + b"\n", "...' is not a number"),
    "carriage_returns_only": (b"1,2\r3,4\r", ":1:3: '2\\x0D3' is not a number"),
}


def write(folder, suffix, cases):
    to = HERE / folder
    to.mkdir(exist_ok=True)
    for old in to.iterdir():
        old.unlink()
    lines = []
    for name, (data, words) in sorted(cases.items()):
        (to / f"{name}.{suffix}").write_bytes(data)
        lines.append(f"{name}.{suffix} | BAD_INPUT | {words}\n")
    (to / "expected.txt").write_text("".join(lines), encoding="utf-8")


write("safetensors", "safetensors", SAFETENSORS)
write("npy", "npy", NPY)
write("npz", "npz", NPZ)
write("csv", "csv", CSV)
