import { VideoPresets } from 'livekit-client';
import { afterEach, expect, test, vi } from 'vitest';
import { loadChoices, mediaMissing, mediaProblem, roomOptions, saveChoices, sendCodec } from './devices.ts';

afterEach(() => localStorage.clear());

const named = (name: string) => Object.assign(new Error(name), { name });

test.each([
  ['camera', 'NotAllowedError', 'media.denied_camera'],
  ['mic', 'NotAllowedError', 'media.denied_mic'],
  ['camera', 'NotFoundError', 'media.missing_camera'],
  ['mic', 'OverconstrainedError', 'media.missing_mic'],
  ['camera', 'NotReadableError', 'media.busy_camera'],
  ['mic', 'AbortError', 'media.busy_mic'],
  ['camera', 'TypeError', 'media.busy_camera'],
  ['screen', 'NotAllowedError', 'media.denied_screen'],
  ['screen', 'InvalidStateError', 'media.busy_screen'],
] as const)('%s that fails with %s is explained by %s', (device, name, want) => {
  expect(mediaProblem(device, named(name))).toBe(want);
});

test('a page without https is told from a browser that cannot', () => {
  const devices = { getUserMedia: vi.fn() } as unknown as MediaDevices;
  expect(mediaMissing(false, undefined)).toBe('media.insecure');
  expect(mediaMissing(true, undefined)).toBe('media.unsupported');
  expect(mediaMissing(true, devices)).toBeNull();
});

test('H.264 is sent wherever the browser can encode it', () => {
  const codecs = (...mimeTypes: string[]) => ({ codecs: mimeTypes.map((mimeType) => ({ mimeType })) });
  expect(sendCodec(codecs('video/VP8', 'video/H264'))).toBe('h264');
  expect(sendCodec(codecs('video/VP8', 'video/VP9'))).toBe('vp8');
  expect(sendCodec(null)).toBe('h264');
});

test('what is sent can be recorded: one codec, three layers up to 720p, no RED', () => {
  const o = roomOptions({ camera: 'cam1' });
  expect(o.publishDefaults).toMatchObject({ simulcast: true, videoCodec: 'h264', backupCodec: false, red: false });
  expect(o.publishDefaults?.videoSimulcastLayers).toEqual([VideoPresets.h180, VideoPresets.h360]);
  expect(o.videoCaptureDefaults).toMatchObject({ deviceId: 'cam1', resolution: { width: 1280, height: 720 } });
  expect([o.adaptiveStream, o.dynacast]).toEqual([true, true]);
});

test('choices are remembered piece by piece, and rubbish in the storage is survived', () => {
  expect(loadChoices()).toEqual({ name: '', camera: '', mic: '', cameraOn: true, micOn: true });
  saveChoices({ name: 'Grace' });
  saveChoices({ micOn: false });
  expect(loadChoices()).toMatchObject({ name: 'Grace', micOn: false, cameraOn: true });
  localStorage.setItem('huilu-join', '{broken');
  expect(loadChoices().name).toBe('');
});
