// Package job runs the work that outlives a request: compositions, and chores that come round.
//
//	domain, in its transaction       EnqueueCompose ── a row in compositions
//	committed                        Queue.Run claims the row for 10 s and calls the worker
//	while it works                   the claim is extended every 2.5 s; one that cannot be is given up and the worker's context ends
//	nil                              the row is deleted
//	an error                         again after 5 s, 15 s, 45 s … at most 15 min, until the worker says nil
//	process killed, machine gone     the claim runs out, and whoever looks next takes the row
//
// So a composition runs at least once, on one node at a time, and begins within seconds of a crash. The worker has to bear being
// started again at any point; it decides when trying is over. Nodes compare wall clocks, which must agree within a few seconds.
// A node hears of its own commits at once and of others' by looking every two seconds.
//
// Why this is not a library: docs/adr/0003-jobs.md.
package job
