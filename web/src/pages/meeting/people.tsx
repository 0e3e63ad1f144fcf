import { ActionIcon, Avatar, Badge, Button, CloseButton, Group, Menu, Modal, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconCrown, IconDots, IconMicrophone, IconMicrophoneOff, IconUserMinus, IconVideo, IconVideoOff } from '@tabler/icons-react';
import { useState } from 'react';
import { hostCalls } from '../../api/calls.ts';
import { ApiError } from '../../api/client.ts';
import { errorText, useTexts } from '../../i18n/index.tsx';
import { CopyButton } from '../../parts/copy.tsx';
import { initials } from '../../parts/format.ts';
import type { Live, Person } from './live.ts';
import style from './room.module.css';

type Question = { about: Person; kind: 'remove' | 'host' };

/** People is the list of everybody, with what the host can do for each. */
export function People({ live, meeting, link, onClose }: { live: Live; meeting: string; link: string; onClose: () => void }) {
  const texts = useTexts();
  const { t, tn } = texts;
  const [question, setQuestion] = useState<Question | null>(null);
  const act = async (call: () => Promise<void>) => {
    try {
      await call();
    } catch (cause) {
      const error = cause instanceof ApiError ? cause : new ApiError(0, 'unexpected');
      notifications.show({ color: 'coral', message: t('room.action_failed', { why: errorText(error, texts) }) });
    }
  };
  return (
    <aside className={style.people} aria-label={t('room.people')} data-testid="people">
      <Group justify="space-between" wrap="nowrap">
        <Text component="h2" fw={600} fz="md" m={0}>
          {tn('room.people_count', live.people.length)}
        </Text>
        <CloseButton aria-label={t('app.close')} onClick={onClose} />
      </Group>
      <Stack component="ul" gap={2} m={0} p={0} style={{ listStyle: 'none', overflowY: 'auto', flex: 1 }}>
        {live.people.map((p) => (
          <Row
            key={p.identity}
            person={p}
            canAct={live.me.host && !p.local}
            onMute={() => act(() => hostCalls.mute(meeting, p.identity))}
            onAsk={(kind) => setQuestion({ about: p, kind })}
          />
        ))}
      </Stack>
      <CopyButton text={link} label={t('room.copy_link')} testId="room-copy-link" fullWidth />
      <Ask
        question={question}
        onClose={() => setQuestion(null)}
        onYes={({ about, kind }) => act(() => (kind === 'remove' ? hostCalls.kick : hostCalls.makeHost)(meeting, about.identity))}
      />
    </aside>
  );
}

function Row({ person: p, canAct, onMute, onAsk }: { person: Person; canAct: boolean; onMute: () => void; onAsk: (kind: Question['kind']) => void }) {
  const { t } = useTexts();
  return (
    <li
      className={style.personRow}
      data-testid="person"
      data-identity={p.identity}
      data-name={p.name}
      data-host={p.host}
      data-guest={p.guest}
      data-mic={p.mic ? 'on' : 'off'}
      data-camera={p.camera ? 'on' : 'off'}
    >
      <Avatar size={32} radius="xl" color="lake" variant="filled">
        <span aria-hidden>{initials(p.name)}</span>
      </Avatar>
      <Stack gap={0} miw={0} style={{ flex: 1 }}>
        <Text size="sm" truncate>
          {p.local ? t('room.you', { name: p.name }) : p.name}
        </Text>
        <Group gap={4}>
          {p.host && (
            <Badge size="xs" tt="none" radius="sm" variant="light">
              {t('room.host')}
            </Badge>
          )}
          {p.guest && (
            <Badge size="xs" tt="none" radius="sm" variant="light" color="gray">
              {t('room.guest')}
            </Badge>
          )}
        </Group>
      </Stack>
      <span className="hidden">
        {t(p.mic ? 'room.mic_is_on' : 'room.mic_is_off')}
        {p.camera ? '' : `, ${t('room.camera_is_off')}`}
      </span>
      {p.mic ? <IconMicrophone size={17} aria-hidden /> : <IconMicrophoneOff size={17} color="var(--mantine-color-coral-4)" aria-hidden />}
      {p.camera ? <IconVideo size={17} aria-hidden /> : <IconVideoOff size={17} color="var(--mantine-color-dimmed)" aria-hidden />}
      {canAct && (
        <Menu position="bottom-end" withinPortal>
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" aria-label={t('room.actions', { name: p.name })} data-testid="person-menu">
              <IconDots size={18} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconMicrophoneOff size={16} aria-hidden />} disabled={!p.mic} onClick={onMute} data-testid="person-mute">
              {t('room.mute_person', { name: p.name })}
            </Menu.Item>
            {!p.guest && (
              <Menu.Item leftSection={<IconCrown size={16} aria-hidden />} onClick={() => onAsk('host')} data-testid="person-host">
                {t('room.make_host', { name: p.name })}
              </Menu.Item>
            )}
            <Menu.Item color="coral" leftSection={<IconUserMinus size={16} aria-hidden />} onClick={() => onAsk('remove')} data-testid="person-remove">
              {t('room.remove', { name: p.name })}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </li>
  );
}

function Ask({ question, onClose, onYes }: { question: Question | null; onClose: () => void; onYes: (q: Question) => Promise<void> }) {
  const { t } = useTexts();
  const kind = question?.kind ?? 'remove';
  const name = question?.about.name ?? '';
  const yes = async () => {
    if (question) await onYes(question);
    onClose();
  };
  return (
    <Modal opened={question !== null} onClose={onClose} title={t(`room.${kind}_confirm_title`, { name })} centered>
      <Text size="sm" mb="md">
        {t(`room.${kind}_confirm_text`)}
      </Text>
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose} data-autofocus>
          {t('app.cancel')}
        </Button>
        <Button color={kind === 'remove' ? 'coral.7' : undefined} onClick={yes} data-testid="person-confirm">
          {t(`room.${kind}_yes`)}
        </Button>
      </Group>
    </Modal>
  );
}
