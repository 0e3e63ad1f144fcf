import { Button, Group, Menu, Modal, Text } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import {
  IconDoorExit,
  IconLayoutGrid,
  IconMicrophone,
  IconMicrophoneOff,
  IconPhoneX,
  IconScreenShare,
  IconScreenShareOff,
  IconSettings,
  IconUserSquare,
  IconUsers,
  IconVideo,
  IconVideoOff,
} from '@tabler/icons-react';
import { type Room } from 'livekit-client';
import { useState } from 'react';
import { hostCalls } from '../../api/calls.ts';
import { ApiError } from '../../api/client.ts';
import { errorText, useTexts } from '../../i18n/index.tsx';
import { ControlButton } from './control.tsx';
import { type Device, mediaMissing, mediaProblem } from './devices.ts';
import { DevicePicker } from './picker.tsx';
import type { Live } from './live.ts';
import { setMicrophone } from './mute.ts';
import { RecordButton } from './recording.tsx';
import style from './room.module.css';
import type { View } from './stage.tsx';

interface ControlsProps {
  room: Room;
  live: Live;
  meeting: string;
  view: View;
  onView: (v: View) => void;
  listed: boolean;
  onList: () => void;
}

/** Controls is the bar under the meeting. */
export function Controls({ room, live, meeting, view, onView, listed, onList }: ControlsProps) {
  const { t } = useTexts();
  const [picking, picker] = useDisclosure(false);
  const devices = useDevices(room, live);
  useHotkeys([
    ['mod+D', () => devices.mic()],
    ['mod+E', () => devices.camera()],
  ]);
  const { me } = live;
  const sharing = live.shares.some((s) => s.person.local);
  const canShare = typeof navigator.mediaDevices?.getDisplayMedia === 'function';
  return (
    <footer aria-label={t('room.label')}>
      <div className={style.controls} role="toolbar" aria-label={t('room.label')}>
        <ControlButton
          label={t(me.mic ? 'room.mic_on' : 'room.mic_off')}
          caption={t(me.mic ? 'room.mic_short_on' : 'room.mic_short_off')}
          icon={me.mic ? <IconMicrophone aria-hidden /> : <IconMicrophoneOff aria-hidden />}
          look={me.mic ? 'plain' : 'off'}
          busy={devices.busy === 'mic'}
          onClick={devices.mic}
          shortcut="Control+D"
          testId="mic"
          state={me.mic ? 'on' : 'off'}
        />
        <ControlButton
          label={t(me.camera ? 'room.camera_on' : 'room.camera_off')}
          caption={t('room.camera_short')}
          icon={me.camera ? <IconVideo aria-hidden /> : <IconVideoOff aria-hidden />}
          look={me.camera ? 'plain' : 'off'}
          busy={devices.busy === 'camera'}
          onClick={devices.camera}
          shortcut="Control+E"
          testId="camera"
          state={me.camera ? 'on' : 'off'}
        />
        {canShare && (
          <ControlButton
            label={t(sharing ? 'room.share_stop' : 'room.share')}
            caption={t('room.share_short')}
            icon={sharing ? <IconScreenShareOff aria-hidden /> : <IconScreenShare aria-hidden />}
            look={sharing ? 'on' : 'plain'}
            busy={devices.busy === 'screen'}
            onClick={devices.screen}
            testId="share-screen"
            state={sharing ? 'on' : 'off'}
          />
        )}
        {me.host && <RecordButton meeting={meeting} recording={live.facts.recording} />}
        <span className={style.spacer} />
        <ControlButton
          label={`${t('room.people')} ${live.people.length}`}
          caption={`${t('room.people')} ${live.people.length}`}
          icon={<IconUsers aria-hidden />}
          look={listed ? 'on' : 'plain'}
          onClick={onList}
          expanded={listed}
          testId="people-toggle"
        />
        <ControlButton
          label={t(view === 'grid' ? 'room.view_speaker' : 'room.view_grid')}
          caption={t(view === 'grid' ? 'room.view_short_speaker' : 'room.view_short_grid')}
          icon={view === 'grid' ? <IconUserSquare aria-hidden /> : <IconLayoutGrid aria-hidden />}
          onClick={() => onView(view === 'grid' ? 'speaker' : 'grid')}
          testId="view"
          state={view}
        />
        <ControlButton label={t('room.settings')} caption={t('room.settings')} icon={<IconSettings aria-hidden />} onClick={picker.open} testId="devices" />
        <span className={style.spacer} />
        <Leave room={room} live={live} meeting={meeting} />
        <DevicePicker room={room} opened={picking} onClose={picker.close} />
      </div>
    </footer>
  );
}

/** useDevices switches microphone, camera and screen, one at a time, and says what the browser refused. */
function useDevices(room: Room, live: Live) {
  const { t } = useTexts();
  const [busy, setBusy] = useState<Device | null>(null);
  const mine = room.localParticipant;
  const change = async (device: Device, work: () => Promise<unknown>) => {
    if (busy) return;
    const missing = mediaMissing(globalThis.isSecureContext, navigator.mediaDevices);
    if (missing) {
      notifications.show({ color: 'yellow', message: t(missing, { address: location.origin }) });
      return;
    }
    setBusy(device);
    try {
      await work();
    } catch (error) {
      notifications.show({ color: 'yellow', message: t(mediaProblem(device, error)) });
    } finally {
      setBusy(null);
    }
  };
  const sharing = live.shares.some((s) => s.person.local);
  return {
    busy,
    mic: () => change('mic', () => setMicrophone(room, !mine.isMicrophoneEnabled)),
    camera: () => change('camera', () => mine.setCameraEnabled(!mine.isCameraEnabled)),
    screen: () => change('screen', () => mine.setScreenShareEnabled(!sharing, { audio: true, selfBrowserSurface: 'exclude', surfaceSwitching: 'include' })),
  };
}

/** Leave is one button for most; the host may also end the meeting for everybody. */
function Leave({ room, live, meeting }: { room: Room; live: Live; meeting: string }) {
  const { t } = useTexts();
  const [asking, ask] = useDisclosure(false);
  const leave = () => void room.disconnect();
  const icon = <IconPhoneX aria-hidden />;
  if (!live.me.host) return <ControlButton label={t('room.leave')} caption={t('room.leave')} icon={icon} look="end" onClick={leave} testId="leave" />;
  return (
    <>
      <Menu position="top-end" withinPortal>
        <Menu.Target>
          <ControlButton label={t('room.leave_menu')} caption={t('room.leave')} icon={icon} look="end" testId="leave-menu" />
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconDoorExit size={18} aria-hidden />} onClick={leave} data-testid="leave">
            {t('room.leave_only')}
          </Menu.Item>
          <Menu.Item color="coral" leftSection={<IconPhoneX size={18} aria-hidden />} onClick={ask.open} data-testid="end-all">
            {t('room.end_all')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <EndForAll opened={asking} onClose={ask.close} meeting={meeting} people={live.people.length} />
    </>
  );
}

function EndForAll({ opened, onClose, meeting, people }: { opened: boolean; onClose: () => void; meeting: string; people: number }) {
  const texts = useTexts();
  const { t } = texts;
  const [busy, setBusy] = useState(false);
  const end = async () => {
    setBusy(true);
    try {
      await hostCalls.end(meeting); // the room closes and says so: MeetingPage goes on from there
    } catch (cause) {
      const error = cause instanceof ApiError ? cause : new ApiError(0, 'unexpected');
      notifications.show({ color: 'coral', message: t('room.end_failed', { why: errorText(error, texts) }) });
    } finally {
      setBusy(false);
      onClose();
    }
  };
  return (
    <Modal opened={opened} onClose={onClose} title={t('room.end_confirm_title')} centered>
      <Text size="sm" mb="md">
        {people > 1 ? t('room.end_confirm_text', { n: people }) : t('room.end_confirm_text_one')}
      </Text>
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose} data-autofocus>
          {t('app.cancel')}
        </Button>
        <Button color="coral.7" onClick={end} loading={busy} data-testid="end-confirm">
          {t('room.end_all')}
        </Button>
      </Group>
    </Modal>
  );
}
