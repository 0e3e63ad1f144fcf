package main

import "testing"

func TestOneGraphOfPictureAndSound(t *testing.T) {
	t.Parallel()
	picture := "[0:v]format=yuv420p[c0];[1:v]setpts=PTS-3.000000/TB,fps=30[t0];[c0][t0]overlay=0:0[c1];[2:v]format=yuva420p[l0];" +
		"[c1][l0]overlay=1:2[c2];[c2]split[picture][small];[small]extractplanes=y[luma]"
	sound := "[0:a]aresample=48000[a0];[1:a]aresample=48000[a1];[a0][a1]amix=inputs=2[sound]"
	want := "[0:v]format=yuv420p[c0];[1:v]setpts=PTS-0/TB,fps=30[t0];[c0][t0]overlay=0:0[c1];[2:v]format=yuva420p[l0];" +
		"[c1][l0]overlay=1:2[c2];[c2]null[picture];[3:a]aresample=48000[a0];[4:a]aresample=48000[a1];[a0][a1]amix=inputs=2[sound]"
	if got, err := oneGraph(picture, sound, 3); err != nil || got != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
	if _, err := oneGraph("[0:v]null[picture]", sound, 3); err == nil {
		t.Error("a graph that nobody knows is measured")
	}
}

func TestWhatARunWasTold(t *testing.T) {
	t.Parallel()
	k := kept{folder: "/kept", args: []string{"-i", "/jobs/a.png", "-threads", "1", "-i", "/jobs/b.mkv", "-map", "[picture]", "-c:v", "x", "-crf", "25", "-threads", "2"}}
	if got := k.inputs(".mkv"); len(got) != 1 || got[0] != "/kept/b.mkv" {
		t.Errorf("inputs %v", got)
	}
	if got := k.between("[picture]", "-threads"); len(got) != 4 || got[3] != "25" {
		t.Errorf("between %v", got)
	}
	if k.after("-crf") != "25" || k.after("-nothing") != "" || k.between("nothing", "-threads") != nil {
		t.Error("it reads what is not there")
	}
}
