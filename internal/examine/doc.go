// Package examine looks at and listens to an MP4 and says, with figures, what
// is in it: whether the file is well made, who can be seen when, whether the
// picture moves, and how far sound and picture are apart.
//
// It judges recordings of the people that package people makes. They carry a
// clock, a lamp and a tone (see people/mark), so a recording can be compared
// with the instants at which things really happened:
//
//	ffprobe ── packets ──> Probe: streams, counts, times in order, fast start
//	ffmpeg ─── frames ───> eye: strips, lamps, blank and still pictures
//	ffmpeg ─── samples ──> ear: beginnings of beeps, to a millisecond
//	                         └──> Report: per person what was seen and heard,
//	                              and checks: measured, limit, reason
//
// Frames and samples pass through a pipe, one at a time; what is kept grows
// with the length of the file by a few dozen bytes a frame. Every other file
// can be probed as well, it just has nobody in it.
//
// The parts that judge (eye, ear, boxes) take pixels, samples and bytes, and
// know no files or processes.
package examine
