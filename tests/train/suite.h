/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_TEST_TRAIN_SUITE_H
#define FLOW_TEST_TRAIN_SUITE_H
#include <check.h>

TCase *tcase_of_training(void);         /* check_train.c */
TCase *tcase_of_checkpoints(void);      /* check_checkpoint.c */
TCase *tcase_of_parts(void);            /* check_parts.c */

#endif
