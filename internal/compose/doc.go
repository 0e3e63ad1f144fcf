// Package compose turns a capture folder into one MP4 that anybody can play, and into a poster, and checks both.
//
// It works in five steps, each of which leaves files in the Work folder that the next attempt uses again:
//
//	capture/<id>/*.rtpl ──convert──▶ tracks/   whole frames with their time of day, broken ones left out
//	capture/<id>/events ──plan─────▶ epochs    stretches in which the same tiles show the same things
//	epochs + tracks     ──compose──▶ windows/  at most 30 s of picture each, named by the hash of all that is in it
//	microphones         ──mix──────▶ audio/    the sound of the whole meeting, once
//	windows + audio     ──join─────▶ out/      recording.mp4 and poster.jpg, copied together without encoding again
//
// What counts as time: the recording is the sum of its parts, each from rec_start to rec_stop. What happened between
// two parts is cut out. Every edge lies on a grid of 1/30 s that begins anew with each part.
//
// Who is seen: everybody from join to leave; a person whose camera is off, muted or silent for long is a card with the
// name on it. A shared screen takes the large place. When there are more people than places, the last speakers have them.
//
// A killed composition loses the windows that were not finished. A broken track costs its own tile and is told as a
// Defect. A file that does not pass the checks is never a Result.
//
// ffmpeg runs in child processes only; the bytes of the media are read and written piece by piece, never as a whole.
package compose
