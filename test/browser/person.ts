// A person for a browser: in place of camera and microphone, a canvas with the clock strip and the lamp of package
// people/mark and a tone that sounds while the lamp is lit, so that what is recorded of Chromium can be measured by
// package examine like everybody else. Runs inside the page, before the page's own code.

export interface Who {
  index: number; // decides the tone and the number in the strip
  name: string;
  colour: string;
}

export const loopSeconds = 10; // after which the clock in the strip starts again

export function becomePerson({ index, name, colour }: Who) {
  const fps = 20;
  const rate = 2; // of 10, 15, 20, 24, 25, 30, 50, 60
  const loop = 10;
  const width = 640;
  const height = 360;
  const scale = width / 1280;
  const now = () => (performance.timeOrigin + performance.now()) / 1000;

  const check = (body: number) => {
    let sum = 0xff;
    for (let i = 25; i >= 0; i--) {
      const top = (sum >> 7) ^ ((body >> i) & 1);
      sum = (sum << 1) & 0xff;
      if (top) sum ^= 0x07;
    }
    return sum;
  };
  const cells = (frame: number) => {
    const body = (rate << 23) | (index << 18) | frame;
    const bits = (v: number, n: number) => v.toString(2).padStart(n, '0');
    return '1011' + bits(body, 26) + bits(check(body), 8) + '01';
  };

  let camera: MediaStreamTrack | undefined;
  const film = () => {
    if (camera) return camera;
    const canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    const pen = canvas.getContext('2d', { alpha: false })!;
    const box = (x: number, y: number, w: number, h: number, fill: string) => {
      pen.fillStyle = fill;
      pen.fillRect(Math.round(x * scale), Math.round(y * scale), Math.round(w * scale), Math.round(h * scale));
    };
    let last = -1;
    const draw = () => {
      const t = now();
      const frame = Math.floor((t % loop) * fps);
      if (frame === last) return false;
      last = frame;
      box(0, 0, 1280, 720, colour);
      [...cells(frame)].forEach((bit, i) => {
        box(40 + 30 * i, 24, 30, 30, bit === '1' ? '#fff' : '#000');
        box(40 + 30 * i, 54, 30, 30, bit === '1' ? '#000' : '#fff');
      });
      box(1008, 112, 224, 224, frame % fps < 2 ? '#fff' : '#222');
      box(100 + 600 * ((t / 3) % 1), 300, 120, 120, '#fff8');
      pen.fillStyle = '#fff';
      pen.font = '28px sans-serif';
      pen.fillText(name, 50, 250);
      pen.fillText(new Date(t * 1000).toISOString().slice(11, 21), 50, 290);
      return true;
    };
    const track = canvas.captureStream(0).getVideoTracks()[0] as CanvasCaptureMediaStreamTrack;
    setInterval(() => draw() && track.requestFrame(), 4); // taken when it is drawn, not by a clock of its own
    camera = track;
    return camera;
  };

  let voice: MediaStreamTrack | undefined;
  const sing = () => {
    if (voice) return voice;
    const audio = new AudioContext({ latencyHint: 'interactive' });
    void audio.resume();
    const out = audio.createMediaStreamDestination();
    const tone = audio.createOscillator();
    const loud = audio.createGain();
    tone.frequency.value = 1000 + 300 * index;
    loud.gain.value = 0;
    tone.connect(loud).connect(out);
    tone.start();
    let next = Math.ceil(now()) + 1;
    setInterval(() => {
      if (audio.state !== 'running') return void audio.resume();
      const offset = audio.currentTime - now();
      if (next + offset > audio.currentTime + 0.6) return;
      if (next + offset > audio.currentTime) {
        // Not at once, because a click sounds like everybody, and not loud, because the mix would bend two tones into a third.
        const at = next + offset;
        loud.gain.setValueAtTime(0, at).linearRampToValueAtTime(0.25, at + 0.003);
        loud.gain.setValueAtTime(0.25, at + 0.1).linearRampToValueAtTime(0, at + 0.103);
      }
      next++;
    }, 50);
    voice = out.stream.getAudioTracks()[0];
    return voice;
  };

  // Chromium offers all its network addresses only to pages that use a real device, so one is opened too, and kept.
  const devices = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const kept: MediaStream[] = [];
  navigator.mediaDevices.getUserMedia = async (want = {}) => {
    kept.push(await devices(want));
    const tracks = [];
    if (want.video) tracks.push(film().clone());
    if (want.audio) tracks.push(sing().clone());
    return new MediaStream(tracks);
  };
}
