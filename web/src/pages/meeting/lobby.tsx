import { ActionIcon, Alert, Anchor, Box, Button, Group, PasswordInput, Select, SimpleGrid, Stack, Text, TextInput, Tooltip } from '@mantine/core';
import { IconMicrophone, IconMicrophoneOff, IconVideo, IconVideoOff } from '@tabler/icons-react';
import type { LocalAudioTrack, LocalVideoTrack } from 'livekit-client';
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { Link, useLocation } from 'react-router';
import type { JoinInfo, JoinRequest } from '../../api/types.ts';
import { useTexts } from '../../i18n/index.tsx';
import { loginPath } from '../../parts/address.ts';
import { spacedNumber } from '../../parts/format.ts';
import { useSession } from '../../parts/session.tsx';
import { PageTitle } from '../../parts/states.tsx';
import { loadChoices, saveChoices } from './devices.ts';
import { Level } from './level.tsx';
import style from './lobby.module.css';
import { type Slot, usePreview } from './preview.ts';

/** Open tracks on their way from the lobby into the meeting. */
export interface Taken {
  camera?: LocalVideoTrack;
  mic?: LocalAudioTrack;
}

interface LobbyProps {
  meetingNo: string;
  info: JoinInfo;
  /** Why the last attempt did not work, in words; field says whether it belongs to one. */
  problem: { text: string; field?: 'name' | 'password' } | null;
  busy: boolean;
  /** take() hands the open tracks over; whoever calls it must stop them. */
  onJoin: (request: JoinRequest, take: () => Promise<Taken>, chosen: { camera: string; mic: string }) => void;
}

/** Lobby is where people see themselves before the others do. */
export function Lobby({ meetingNo, info, problem, busy, onJoin }: LobbyProps) {
  const { t } = useTexts();
  const preview = usePreview();
  const { camera, mic } = preview.slots;
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing={{ base: 'lg', md: 40 }} data-testid="lobby">
      <Stack gap="sm">
        <Preview camera={camera} mic={mic} onToggle={preview.toggle} />
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
          <Choose label={t('lobby.camera')} slot={camera} onChoose={(id) => preview.choose('camera', id)} testId="lobby-camera-choice" />
          <Choose label={t('lobby.mic')} slot={mic} onChoose={(id) => preview.choose('mic', id)} testId="lobby-mic-choice" />
        </SimpleGrid>
        {mic.track && (
          <Stack gap={4}>
            <Level track={mic.track} />
            <Text size="xs" c="dimmed">
              {t('lobby.mic_level')}
            </Text>
          </Stack>
        )}
        <DeviceProblems camera={camera} mic={mic} onRetry={preview.retry} />
      </Stack>
      <Stack gap="md">
        <Stack gap={4}>
          <PageTitle size="h2">{info.topic || t('home.no_topic')}</PageTitle>
          <Text c="dimmed" size="sm">
            {t('lobby.hosted_by', { name: info.owner_name })} · {t('lobby.number', { no: spacedNumber(meetingNo) })}
          </Text>
        </Stack>
        <Text size="sm" data-testid="lobby-status">
          {t(info.status === 'running' ? 'lobby.running' : 'lobby.waiting')}
        </Text>
        {info.recording && (
          <Alert color="coral" variant="light" icon={<span className={style.dot} aria-hidden />} data-testid="lobby-recorded">
            {t('lobby.recorded')}
          </Alert>
        )}
        <Entrance
          info={info}
          problem={problem}
          busy={busy}
          onJoin={(request) => onJoin(request, preview.take, { camera: camera.deviceID, mic: mic.deviceID })}
        />
      </Stack>
    </SimpleGrid>
  );
}

function Preview({ camera, mic, onToggle }: { camera: Slot<LocalVideoTrack>; mic: Slot<LocalAudioTrack>; onToggle: (kind: 'camera' | 'mic') => void }) {
  const { t } = useTexts();
  const video = useRef<HTMLVideoElement>(null);
  const { track } = camera;
  useEffect(() => {
    const element = video.current;
    if (!track || !element) return;
    track.attach(element);
    return () => {
      track.detach(element);
    };
  }, [track]);
  const waiting = camera.busy || mic.busy;
  return (
    <div className={style.preview} data-testid="preview" data-camera={track ? 'on' : 'off'} data-mic={mic.track ? 'on' : 'off'}>
      <video ref={video} muted playsInline autoPlay aria-label={t('lobby.preview')} className={style.video} hidden={!track} />
      {!track && (
        <Text className={style.empty} size="sm" role="status">
          {waiting ? t('lobby.preparing') : t('lobby.camera_off')}
        </Text>
      )}
      <Group className={style.toggles} gap="sm">
        <Toggle
          on={mic.wanted}
          busy={mic.busy}
          label={t(mic.wanted ? 'lobby.turn_mic_off' : 'lobby.turn_mic_on')}
          onIcon={<IconMicrophone aria-hidden />}
          offIcon={<IconMicrophoneOff aria-hidden />}
          onClick={() => onToggle('mic')}
          testId="lobby-mic"
        />
        <Toggle
          on={camera.wanted}
          busy={camera.busy}
          label={t(camera.wanted ? 'lobby.turn_camera_off' : 'lobby.turn_camera_on')}
          onIcon={<IconVideo aria-hidden />}
          offIcon={<IconVideoOff aria-hidden />}
          onClick={() => onToggle('camera')}
          testId="lobby-camera"
        />
      </Group>
    </div>
  );
}

interface ToggleProps {
  on: boolean;
  busy: boolean;
  label: string;
  onIcon: ReactNode;
  offIcon: ReactNode;
  onClick: () => void;
  testId: string;
}

function Toggle({ on, busy, label, onIcon, offIcon, onClick, testId }: ToggleProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon
        size={48}
        radius="xl"
        variant="filled"
        color={on ? 'dark.4' : 'coral.7'}
        aria-label={label}
        onClick={onClick}
        loading={busy}
        data-testid={testId}
        data-on={on}
      >
        {on ? onIcon : offIcon}
      </ActionIcon>
    </Tooltip>
  );
}

function Choose({ label, slot, onChoose, testId }: { label: string; slot: Slot<unknown>; onChoose: (id: string) => void; testId: string }) {
  const { t } = useTexts();
  const data = slot.devices.filter((d) => d.deviceId).map((d, i) => ({ value: d.deviceId, label: d.label || t('lobby.device_n', { n: i + 1 }) }));
  return (
    <Select
      label={label}
      data={data}
      value={data.some((d) => d.value === slot.deviceID) ? slot.deviceID : (data[0]?.value ?? null)}
      onChange={(id) => id && onChoose(id)}
      placeholder={slot.busy ? '…' : t('lobby.no_device')}
      disabled={data.length === 0}
      allowDeselect={false}
      data-testid={testId}
    />
  );
}

/** DeviceProblems says each reason once: without https both devices have the same. */
function DeviceProblems({ camera, mic, onRetry }: { camera: Slot<unknown>; mic: Slot<unknown>; onRetry: () => void }) {
  const { t } = useTexts();
  const problems = [...new Set([camera.problem, mic.problem])].filter((p) => p !== null);
  if (problems.length === 0) return null;
  return (
    <Alert color="yellow" variant="light" data-testid="device-problem" data-problem={problems.join(' ')}>
      <Stack gap={6}>
        {problems.map((key) => (
          <Text size="sm" key={key}>
            {t(key, { address: location.origin })}
          </Text>
        ))}
        <Text size="sm">{t('lobby.without')}</Text>
        {globalThis.isSecureContext && (
          <Button variant="default" size="xs" onClick={onRetry} style={{ alignSelf: 'flex-start' }} data-testid="device-retry">
            {t('media.again')}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

function Entrance({ info, problem, busy, onJoin }: Pick<LobbyProps, 'info' | 'problem' | 'busy'> & { onJoin: (r: JoinRequest) => void }) {
  const { t } = useTexts();
  const { me } = useSession();
  const here = useLocation();
  const [name, setName] = useState(() => loadChoices().name);
  const [password, setPassword] = useState('');
  const [lacks, setLacks] = useState<{ name?: boolean; password?: boolean }>({});
  const nameField = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);
  const { field } = problem ?? {};
  useEffect(() => {
    if (field === 'password') passwordField.current?.focus();
    if (field === 'name') nameField.current?.focus();
  }, [field, problem]);

  const submit = (e: FormEvent) => {
    e.preventDefault();
    const missing = { name: !me && name.trim() === '', password: info.password_required && password === '' };
    setLacks(missing);
    if (missing.name) nameField.current?.focus();
    else if (missing.password) passwordField.current?.focus();
    if (missing.name || missing.password) return;
    if (!me) saveChoices({ name: name.trim() });
    onJoin({ ...(me ? {} : { name: name.trim() }), ...(info.password_required ? { password } : {}) });
  };
  return (
    <form onSubmit={submit} noValidate data-testid="join-form">
      <Stack gap="md">
        {problem && !field && (
          <Alert color="coral" variant="light" role="alert" data-testid="join-problem">
            {problem.text}
          </Alert>
        )}
        {me ? (
          <Text size="sm">{t('lobby.as', { name: me.user.name })}</Text>
        ) : (
          <TextInput
            ref={nameField}
            label={t('lobby.name')}
            description={t('lobby.name_help')}
            size="md"
            value={name}
            maxLength={50}
            autoComplete="name"
            onChange={(e) => setName(e.currentTarget.value)}
            error={(lacks.name && t('lobby.name_needed')) || (field === 'name' && problem?.text)}
            data-testid="join-name"
          />
        )}
        {info.password_required && (
          <PasswordInput
            ref={passwordField}
            label={t('lobby.password')}
            size="md"
            value={password}
            inputMode="numeric"
            autoComplete="off"
            onChange={(e) => setPassword(e.currentTarget.value)}
            error={(lacks.password && t('lobby.password_needed')) || (field === 'password' && problem?.text)}
            data-testid="join-password"
          />
        )}
        <Box>
          <Button type="submit" size="lg" loading={busy} fullWidth data-testid="join">
            {t('lobby.join')}
          </Button>
          {busy && (
            <Text role="status" className="hidden">
              {t('lobby.joining')}
            </Text>
          )}
        </Box>
        {!me && (
          <Text size="sm" c="dimmed">
            {t('lobby.guest_or')}{' '}
            <Anchor component={Link} to={loginPath(here)}>
              {t('lobby.sign_in')}
            </Anchor>
          </Text>
        )}
      </Stack>
    </form>
  );
}
