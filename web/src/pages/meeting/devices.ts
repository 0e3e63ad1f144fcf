// Camera and microphone: how they are asked for, why they may be missing, how they are sent.

import { DefaultReconnectPolicy, type RoomOptions, ScreenSharePresets, VideoPresets } from 'livekit-client';
import type { Key } from '../../i18n/index.tsx';

export type Device = 'camera' | 'mic' | 'screen';

/** mediaProblem names the sentence for what the browser answered when asked for a device. */
export function mediaProblem(device: Device, error: unknown): Key {
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  if (device === 'screen') return name === 'NotAllowedError' ? 'media.denied_screen' : 'media.busy_screen';
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
    case 'PermissionDeniedError':
      return `media.denied_${device}`;
    case 'NotFoundError':
    case 'OverconstrainedError':
    case 'DevicesNotFoundError':
      return `media.missing_${device}`;
    default:
      return `media.busy_${device}`;
  }
}

/** mediaMissing names why this page can have no devices at all; null when it can. */
export function mediaMissing(secure: boolean, devices: MediaDevices | undefined): Key | null {
  if (!secure) return 'media.insecure';
  return devices?.getUserMedia ? null : 'media.unsupported';
}

/** sendCodec is H.264, which recordings take over without much work, or VP8 where a browser cannot encode that. */
export function sendCodec(capabilities: { codecs: readonly { mimeType: string }[] } | null | undefined): 'h264' | 'vp8' {
  if (!capabilities) return 'h264';
  return capabilities.codecs.some((c) => c.mimeType.toLowerCase() === 'video/h264') ? 'h264' : 'vp8';
}

/**
 * When the old connection is tried again. Short, because after a restart of the server it cannot be resumed; then
 * the page joins anew (phase.ts).
 */
const resumeDelaysMs = [0, 300, 1200, 2700, 4800, 7000];

/**
 * roomOptions is how this page sends and receives. One codec only and no RED: recordings are composed from what
 * was sent, and cannot use a second copy in another codec or redundant sound packets.
 */
export function roomOptions(chosen: { camera?: string; mic?: string; speaker?: string }): RoomOptions {
  return {
    adaptiveStream: true,
    dynacast: true,
    disconnectOnPageLeave: true,
    reconnectPolicy: new DefaultReconnectPolicy(resumeDelaysMs),
    videoCaptureDefaults: { deviceId: chosen.camera || undefined, resolution: VideoPresets.h720.resolution },
    audioCaptureDefaults: { deviceId: chosen.mic || undefined, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    audioOutput: chosen.speaker ? { deviceId: chosen.speaker } : undefined,
    publishDefaults: {
      simulcast: true,
      videoCodec: sendCodec(globalThis.RTCRtpSender?.getCapabilities?.('video')),
      backupCodec: false,
      videoEncoding: VideoPresets.h720.encoding,
      videoSimulcastLayers: [VideoPresets.h180, VideoPresets.h360],
      screenShareEncoding: ScreenSharePresets.h1080fps15.encoding,
      dtx: true,
      red: false,
    },
  };
}

/** What somebody chose last time, kept on this device. */
export interface Choices {
  name: string;
  camera: string;
  mic: string;
  cameraOn: boolean;
  micOn: boolean;
}

const storageKey = 'huilu-join';
const untouched: Choices = { name: '', camera: '', mic: '', cameraOn: true, micOn: true };

export function loadChoices(): Choices {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(storageKey) ?? '{}');
    return { ...untouched, ...(typeof kept === 'object' ? kept : {}) };
  } catch {
    return untouched;
  }
}

export function saveChoices(choices: Partial<Choices>) {
  try {
    localStorage.setItem(storageKey, JSON.stringify({ ...loadChoices(), ...choices }));
  } catch {
    // not remembered then
  }
}
