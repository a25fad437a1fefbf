/*
 * metrics - what is counted, and its text in Prometheus' format.
 *
 * Counters and gauges are relaxed atomics: any thread adds, the loop prints. Pure.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "common/base/buf.h"

/* X(name, type, help). What counts milliseconds says so ("_ms"), and goes out in seconds. */
#define METRICS_MAP(X)                                                                     \
	X(connections, gauge, "Connections open")                                          \
	X(connections_total, counter, "Connections accepted")                              \
	X(connections_refused_total, counter, "Connections over the limit of an address")  \
	X(requests_total, counter, "Requests read")                                        \
	X(requests_refused_total, counter, "Requests refused before a handler saw them")   \
	X(deadlines_total, counter, "Connections cut because they were too slow")          \
	X(bytes_in_total, counter, "Body bytes read")                                      \
	X(bytes_out_total, counter, "Body bytes sent")                                     \
	X(body_bytes, gauge, "Bytes reserved for request bodies")                          \
	X(syncs_total, counter, "Sync requests answered")                                  \
	X(syncs_refused_total, counter, "Sync requests refused")                           \
	X(enrolments_total, counter, "Devices enrolled")                                   \
	X(enrolments_refused_total, counter, "Enrolments refused")                         \
	X(changesets_total, counter, "Change-sets taken")                                  \
	X(changes_applied_total, counter, "Changes merged")                                \
	X(conflicts_total, counter, "Conflicts kept")                                      \
	X(quarantined_total, counter, "Changes quarantined")                               \
	X(records_out_total, counter, "Record states sent")                                \
	X(digests_compared_total, counter, "Digests of units given to devices")            \
	X(digests_differing_total, counter, "Units found to differ from a device's")       \
	X(records_missing_total, counter, "Acknowledged records a device has and we lack") \
	X(writer_waiting, gauge, "Jobs waiting for the writer")                            \
	X(writer_jobs_total, counter, "Jobs the writer ran")                               \
	X(writer_commits_total, counter, "Transactions committed")                         \
	X(writer_rollbacks_total, counter, "Jobs rolled back")                             \
	X(writer_checkpoints_total, counter, "WAL checkpoints")                            \
	X(commit_last_ms, gauge, "How long the last commit took, fsync and all")           \
	X(commit_ms_total, counter, "Time spent in commits")                               \
	X(wal_pages, gauge, "Pages in the WAL")                                            \
	X(admin_calls_total, counter, "Administrators' commands")                          \
	X(console_pages, gauge, "Pages of the console that are told events")               \
	X(logins_total, counter, "Logins to the console")                                  \
	X(logins_refused_total, counter, "Logins to the console refused")                  \
	X(reloads_total, counter, "Successful reloads")                                    \
	X(devices, gauge, "Devices enrolled")                                              \
	X(disk_free_bytes, gauge, "Free bytes where the store lives")                      \
	X(forks_total, counter, "Devices set aside because their history forked")          \
	X(alerts_total, counter, "Alerts delivered, each way counted")                     \
	X(alerts_failed_total, counter, "Tries to deliver an alert that failed")           \
	X(alerts_waiting, gauge, "Ways by which an alert has not gone out so far")         \
	X(alert_last_seconds, gauge, "When the last daily alert went out, Unix time")

struct metrics {
#define X(name, type, help) atomic_uint_fast64_t name;
	METRICS_MAP(X)
#undef X
};

#define metrics_add(m, name, n) \
	((void)atomic_fetch_add_explicit(&(m)->name, (uint_fast64_t)(n), memory_order_relaxed))
#define metrics_sub(m, name, n) \
	((void)atomic_fetch_sub_explicit(&(m)->name, (uint_fast64_t)(n), memory_order_relaxed))
#define metrics_set(m, name, n) \
	atomic_store_explicit(&(m)->name, (uint_fast64_t)(n), memory_order_relaxed)

/* Appends every metric, named ctxh_…, times in seconds ("_ms" is "_seconds" there). */
void metrics_print(struct metrics *m, struct buf *out);
