import { createLocalAudioTrack, createLocalTracks, createLocalVideoTrack, LocalAudioTrack, LocalVideoTrack, Room, VideoPresets } from 'livekit-client';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { Key } from '../../i18n/index.tsx';
import { loadChoices, mediaMissing, mediaProblem, saveChoices } from './devices.ts';

/** One device in the lobby: the track while it is on, or why there is none. */
export interface Slot<T> {
  wanted: boolean;
  track: T | null;
  problem: Key | null;
  deviceID: string;
  devices: MediaDeviceInfo[];
  busy: boolean;
}

type Kind = 'camera' | 'mic';
interface Tracks {
  camera: LocalVideoTrack;
  mic: LocalAudioTrack;
}
type Slots = { [K in Kind]: Slot<Tracks[K]> };

/** How long joining waits for devices that are being opened; the question to allow them may still be on the screen. */
const patienceMs = 20_000;

const inputs = { camera: 'videoinput', mic: 'audioinput' } as const;

async function open<K extends Kind>(kind: K, deviceID: string): Promise<Tracks[K]> {
  const deviceId = deviceID || undefined;
  const track = kind === 'camera' ? createLocalVideoTrack({ deviceId, resolution: VideoPresets.h720.resolution }) : createLocalAudioTrack({ deviceId });
  return (await track) as Tracks[K];
}

function firstSlots(): Slots {
  const kept = loadChoices();
  const missing = mediaMissing(globalThis.isSecureContext, navigator.mediaDevices);
  const slot = (wanted: boolean, deviceID: string) => ({
    wanted: wanted && !missing,
    track: null,
    problem: missing,
    deviceID,
    devices: [],
    busy: wanted && !missing,
  });
  return { camera: slot(kept.cameraOn, kept.camera), mic: slot(kept.micOn, kept.mic) };
}

/**
 * usePreview opens camera and microphone for the lobby and closes them again, unless take() handed them to the
 * meeting. The browser asks for both permissions at once; when one is refused the other still works.
 */
export function usePreview() {
  const [slots, setSlots] = useState<Slots>(firstSlots);
  const current = useRef(slots);
  current.current = slots;
  const live = useRef<{ [K in Kind]?: Tracks[K] }>({});
  const round = useRef({ camera: 0, mic: 0 });
  const changed = useRef<(() => void)[]>([]);
  useEffect(() => {
    for (const resolve of changed.current.splice(0)) resolve();
  }, [slots]);

  const change = useCallback(<K extends Kind>(kind: K, with_: Partial<Slot<Tracks[K]>>) => {
    setSlots((old) => ({ ...old, [kind]: { ...old[kind], ...with_ } }));
  }, []);

  const close = useCallback((kind: Kind) => {
    round.current[kind]++; // whatever is being opened is too late
    live.current[kind]?.stop();
    delete live.current[kind];
  }, []);

  /** Shows an opened track, or drops it when something newer was asked for meanwhile. */
  const settle = useCallback(
    async <K extends Kind>(kind: K, track: Tracks[K], mine: number) => {
      if (mine !== round.current[kind]) return track.stop();
      Object.assign(live.current, { [kind]: track });
      const [devices, deviceID] = await Promise.all([Room.getLocalDevices(inputs[kind], false), track.getDeviceId(false)]);
      if (mine === round.current[kind]) change(kind, { track, devices, busy: false, deviceID: deviceID ?? '' } as Partial<Slot<Tracks[K]>>);
    },
    [change],
  );

  const start = useCallback(
    async (kind: Kind, deviceID: string) => {
      close(kind);
      const missing = mediaMissing(globalThis.isSecureContext, navigator.mediaDevices);
      if (missing) return change(kind, { wanted: false, problem: missing });
      const mine = round.current[kind];
      change(kind, { wanted: true, track: null, problem: null, busy: true, deviceID });
      try {
        await settle(kind, await openOrAny(kind, deviceID), mine);
      } catch (error) {
        if (mine === round.current[kind]) change(kind, { wanted: false, track: null, busy: false, problem: mediaProblem(kind, error) });
      }
    },
    [change, close, settle],
  );

  /** One question of the browser for both; when that fails each is asked for alone, to learn which one it was. */
  const startBoth = useCallback(
    async (camera: string, mic: string) => {
      const mine = { camera: ++round.current.camera, mic: ++round.current.mic };
      try {
        const opened = await createLocalTracks({
          video: { deviceId: camera || undefined, resolution: VideoPresets.h720.resolution },
          audio: { deviceId: mic || undefined },
        });
        for (const track of opened) {
          if (track instanceof LocalVideoTrack) void settle('camera', track, mine.camera);
          else if (track instanceof LocalAudioTrack) void settle('mic', track, mine.mic);
        }
      } catch {
        if (mine.camera === round.current.camera) void start('camera', camera);
        if (mine.mic === round.current.mic) void start('mic', mic);
      }
    },
    [settle, start],
  );

  const stop = useCallback(
    (kind: Kind) => {
      close(kind);
      change(kind, { wanted: false, track: null, busy: false });
    },
    [change, close],
  );

  useEffect(() => {
    const { camera, mic } = current.current;
    if (camera.wanted && mic.wanted) void startBoth(camera.deviceID, mic.deviceID);
    else if (camera.wanted) void start('camera', camera.deviceID);
    else if (mic.wanted) void start('mic', mic.deviceID);
    return () => {
      close('camera');
      close('mic');
    };
  }, [start, startBoth, close]);

  const toggle = useCallback(
    (kind: Kind) => {
      const slot = current.current[kind];
      saveChoices(kind === 'camera' ? { cameraOn: !slot.wanted } : { micOn: !slot.wanted });
      if (slot.wanted) stop(kind);
      else void start(kind, slot.deviceID);
    },
    [start, stop],
  );
  const choose = useCallback(
    (kind: Kind, deviceID: string) => {
      saveChoices({ [kind]: deviceID });
      void start(kind, deviceID);
    },
    [start],
  );
  /** Hands the tracks over, waiting for those that are just being opened; the lobby no longer closes them. */
  const take = useCallback(async () => {
    let late = false;
    const patience = new Promise<void>((resolve) => setTimeout(resolve, patienceMs)).then(() => {
      late = true;
    });
    const opening = () => current.current.camera.busy || current.current.mic.busy;
    while (opening() && !late) await Promise.race([patience, new Promise<void>((resolve) => changed.current.push(resolve))]);
    const taken = live.current;
    live.current = {};
    return taken;
  }, []);

  /** Asks again for everything that failed. */
  const retry = useCallback(() => {
    for (const kind of ['camera', 'mic'] as const) {
      if (current.current[kind].problem) void start(kind, current.current[kind].deviceID);
    }
  }, [start]);

  return { slots, toggle, choose, take, retry };
}

/** A device chosen earlier may be unplugged by now: then any will do. */
async function openOrAny<K extends Kind>(kind: K, deviceID: string): Promise<Tracks[K]> {
  try {
    return await open(kind, deviceID);
  } catch (error) {
    const gone = error instanceof Error && (error.name === 'OverconstrainedError' || error.name === 'NotFoundError');
    if (!deviceID || !gone) throw error;
    return open(kind, '');
  }
}
