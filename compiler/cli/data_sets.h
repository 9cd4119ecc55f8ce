/* SPDX-License-Identifier: Apache-2.0 */
/* data_sets.h -- the points of data_sets.def, in f64 by flow's own functions: the same bits everywhere. */
#ifndef FLOWC_DATA_SETS_H
#define FLOWC_DATA_SETS_H
#include <stdint.h>

typedef enum DataSet {
#define DATA_SET(name, word, spread, formula) DATA_SET_##name,
#include "data_sets.def"
#undef DATA_SET
  DATA_SETS
} DataSet;

const char *data_set_word(DataSet set);
double data_set_spread(DataSet set);            /* of the normal noise, where nothing else is said */
DataSet data_set_find(const char *word);        /* DATA_SETS if there is none */
void data_set_point(DataSet set, double spread, uint64_t seed, uint64_t index, double point[2]);

#endif
