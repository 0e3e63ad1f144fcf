import { Modal, Select, Stack } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { Room } from 'livekit-client';
import { useEffect, useState } from 'react';
import { type Key, useTexts } from '../../i18n/index.tsx';
import { saveChoices } from './devices.ts';

const kinds: { kind: MediaDeviceKind; label: Key }[] = [
  { kind: 'audioinput', label: 'room.settings_mic' },
  { kind: 'videoinput', label: 'room.settings_camera' },
  { kind: 'audiooutput', label: 'room.settings_speaker' },
];

/** DevicePicker changes devices during the meeting. Browsers that cannot choose a loudspeaker list none. */
export function DevicePicker({ room, opened, onClose }: { room: Room; opened: boolean; onClose: () => void }) {
  const { t } = useTexts();
  return (
    <Modal opened={opened} onClose={onClose} title={t('room.settings')} centered>
      <Stack>
        {kinds.map(({ kind, label }) => (
          <Pick key={kind} room={room} kind={kind} label={t(label)} />
        ))}
      </Stack>
    </Modal>
  );
}

function Pick({ room, kind, label }: { room: Room; kind: MediaDeviceKind; label: string }) {
  const { t } = useTexts();
  const [devices, setDevices] = useState<MediaDeviceInfo[]>([]);
  const [active, setActive] = useState(() => room.getActiveDevice(kind) ?? '');
  useEffect(() => {
    let gone = false;
    const list = () =>
      Room.getLocalDevices(kind, false).then(
        (found) => !gone && setDevices(found.filter((d) => d.deviceId)),
        () => !gone && setDevices([]), // no permission for this kind: nothing to choose from
      );
    void list();
    navigator.mediaDevices?.addEventListener('devicechange', list);
    return () => {
      gone = true;
      navigator.mediaDevices?.removeEventListener('devicechange', list);
    };
  }, [kind]);
  const choose = async (id: string | null) => {
    if (!id) return;
    const before = active;
    setActive(id);
    try {
      await room.switchActiveDevice(kind, id);
      if (kind === 'audioinput') saveChoices({ mic: id });
      if (kind === 'videoinput') saveChoices({ camera: id });
    } catch {
      setActive(before);
      notifications.show({ color: 'yellow', message: t('room.device_failed') });
    }
  };
  const data = devices.map((d, i) => ({ value: d.deviceId, label: d.label || t('lobby.device_n', { n: i + 1 }) }));
  return (
    <Select
      label={label}
      data={data}
      value={data.some((d) => d.value === active) ? active : (data[0]?.value ?? null)}
      onChange={choose}
      disabled={data.length === 0}
      placeholder={t('lobby.no_device')}
      allowDeselect={false}
      data-testid={`pick-${kind}`}
    />
  );
}
