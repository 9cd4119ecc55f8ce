/* SPDX-License-Identifier: Apache-2.0 */
/* sanitized.h -- which sanitizer a test is built with, 0 or 1; gcc says so with a macro, clang with a feature. */
#ifndef FLOW_TESTS_SANITIZED_H
#define FLOW_TESTS_SANITIZED_H
#if defined(__has_feature)
#define UNDER_ADDRESS_SANITIZER __has_feature(address_sanitizer)
#define UNDER_THREAD_SANITIZER __has_feature(thread_sanitizer)
#else
#ifdef __SANITIZE_ADDRESS__
#define UNDER_ADDRESS_SANITIZER 1
#else
#define UNDER_ADDRESS_SANITIZER 0
#endif
#ifdef __SANITIZE_THREAD__
#define UNDER_THREAD_SANITIZER 1
#else
#define UNDER_THREAD_SANITIZER 0
#endif
#endif
#endif
