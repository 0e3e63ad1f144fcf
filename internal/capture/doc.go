// Package capture keeps what a recorded meeting sent, packet by packet, on disk: it writes, reads and repairs.
//
// Nothing is decoded and nothing is decided while people talk. Each subscription to a track becomes one log of the
// RTP packets as they arrived and of the sender reports that place them in time; beside the logs lies a timeline of who
// was there and when. The final video can be made, and made again, from this folder alone.
//
//	<recording>/
//	  recording.json    Meta: which recording and meeting this is; written once
//	  events.jsonl      the timeline, one Event per line, appended unbuffered; its lock tells a live folder
//	  0001.rtpl         one log per subscription, numbered in the order they began
//	  0002.rtpl
//
// A log (RTPL1) is two lines of text and then records, all numbers big-endian:
//
//	RTPL1 <crc32c of the next line, 8 hex digits>\n
//	{TrackMeta as JSON}\n
//	u8 type (1 RTP, 2 sender report) | u32 length | i64 arrival, unix ns | payload | u32 crc32c of all before it
//
// Promises: a killed process loses at most the last second (logs are flushed every 0.2 s); a power cut at most about
// five (fsync every 5 s). A flipped bit or a torn record costs that record: readers find the next whole one and
// say where the damage was. A full disk costs pictures first, and sound only when nothing else is left.
//
// The package knows no network. The recorder feeds it, the composer reads it, also while it grows.
package capture
