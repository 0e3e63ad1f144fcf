// Package sfu is the media server of the meetings: LiveKit, running inside this process.
//
// A selective forwarding unit takes each person's sound and pictures once and forwards them to the others without
// decoding. LiveKit is used as a library: wire.go puts its parts together the way its own program does, leaving out what
// huilu does not need (egress, ingress, SIP, agents, the remote admin API). It listens for no HTTP of its own (but see
// LocalURL): Handler serves the signalling under /rtc on the caller's server. Media use one UDP port, and one TCP port for those
// whose network lets no UDP through.
//
//	browser ── wss /rtc ──▶ Handler ─▶ signalling ─▶ room ◀── UDP (or TCP) media ── browser
//	                                                  │
//	                          Listener, Watch ◀───────┘ joined, left, published, …
//
// A room is named by the meeting's id, a participant by an identity that is fresh per page load. Hidden participants (the
// recorder) are told of to nobody: neither to people nor to the Listener.
//
// What happens in the rooms reaches the Listener in process, one call after the other, without HTTP in between. Admin
// calls are Go calls as well. Nothing here knows tenants, owners or recordings.
package sfu
