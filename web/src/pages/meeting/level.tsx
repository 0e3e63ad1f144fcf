import type { LocalAudioTrack } from 'livekit-client';
import { useEffect, useRef } from 'react';
import style from './lobby.module.css';

/** Level shows how loud a microphone is. It writes to the element directly: sixty renders a second help nobody. */
export function Level({ track }: { track: LocalAudioTrack | null }) {
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!track) return;
    const context = new AudioContext();
    void context.resume();
    const source = context.createMediaStreamSource(new MediaStream([track.mediaStreamTrack]));
    const meter = context.createAnalyser();
    meter.fftSize = 512;
    source.connect(meter);
    const samples = new Float32Array(meter.fftSize);
    let frame = 0;
    const draw = () => {
      meter.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, v) => sum + v * v, 0) / samples.length;
      const db = 10 * Math.log10(power + 1e-9); // -60 dB is a quiet room, -10 dB somebody close to the microphone
      if (bar.current) bar.current.style.transform = `scaleX(${Math.min(1, Math.max(0, (db + 60) / 50)).toFixed(3)})`;
      frame = requestAnimationFrame(draw);
    };
    draw();
    return () => {
      cancelAnimationFrame(frame);
      source.disconnect();
      void context.close();
    };
  }, [track]);
  return (
    <div className={style.level} aria-hidden="true" data-testid="mic-level">
      <div ref={bar} className={style.levelBar} style={{ transform: 'scaleX(0)' }} />
    </div>
  );
}
