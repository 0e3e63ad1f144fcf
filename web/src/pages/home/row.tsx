import { Badge, Button, Group, Progress, Stack, Text } from '@mantine/core';
import { IconPlayerPlayFilled, IconVideo } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { Meeting } from '../../api/types.ts';
import { useTexts } from '../../i18n/index.tsx';
import { CopyIcon } from '../../parts/copy.tsx';
import { dateTime, length, spacedNumber } from '../../parts/format.ts';
import style from './row.module.css';
import { chipOf, hintOf, joinPath, minutePath } from './state.ts';

export function MeetingRow({ meeting: m }: { meeting: Meeting }) {
  const texts = useTexts();
  const { t } = texts;
  const chip = chipOf(m);
  const hint = hintOf(m, texts);
  const topic = m.topic || t('home.no_topic');
  const live = chip.key === 'chip.recording';
  return (
    <li
      className={`card ${style.row}`}
      data-testid="meeting"
      data-meeting-id={m.meeting_id ?? ''}
      data-meeting-no={m.meeting_no}
      data-status={m.status}
      data-recording={m.recording?.state ?? 'none'}
    >
      <Stack gap={6} miw={0} style={{ flex: 1 }}>
        <Group gap="xs" wrap="wrap">
          <Text component="h2" fw={600} fz="md" m={0} style={{ overflowWrap: 'anywhere' }}>
            {topic}
          </Text>
          <Badge
            color={chip.color}
            variant={live ? 'filled' : 'light'}
            radius="sm"
            tt="none"
            fw={600}
            leftSection={live ? <span className={style.live} /> : undefined}
            data-testid="chip"
          >
            {t(chip.key)}
          </Badge>
          {!m.is_owner && (
            <Badge color="gray" variant="outline" radius="sm" tt="none" fw={500}>
              {t('home.theirs')}
            </Badge>
          )}
        </Group>
        <Facts meeting={m} />
        {hint && (
          <Text size="sm" c={m.recording?.state === 'failed' ? 'coral' : 'dimmed'} className={style.hint} data-testid="hint">
            {hint}
          </Text>
        )}
        {m.status === 'ended' && m.recording?.state === 'processing' && typeof m.recording.progress === 'number' && (
          <Progress value={m.recording.progress * 100} size="sm" maw={320} aria-label={t('chip.processing')} color="yellow" />
        )}
      </Stack>
      <Actions meeting={m} topic={topic} />
    </li>
  );
}

function Facts({ meeting: m }: { meeting: Meeting }) {
  const { t, tn, lang } = useTexts();
  const facts = [
    m.start_ms ? dateTime(m.start_ms, lang) : t('home.number', { no: spacedNumber(m.meeting_no) }),
    m.start_ms && m.end_ms ? length(m.end_ms - m.start_ms, lang) : null,
    m.participants > 0 ? tn('home.people', m.participants) : null,
  ].filter(Boolean);
  return (
    <Text size="sm" c="dimmed">
      {facts.join(' · ')}
    </Text>
  );
}

function Actions({ meeting: m, topic }: { meeting: Meeting; topic: string }) {
  const { t } = useTexts();
  const minute = minutePath(m);
  if (minute) {
    return (
      <Button
        component={Link}
        to={minute}
        leftSection={<IconPlayerPlayFilled size={16} aria-hidden />}
        aria-label={`${t('home.watch')}: ${topic}`}
        data-testid="watch"
      >
        {t('home.watch')}
      </Button>
    );
  }
  if (m.status === 'ended') return null;
  return (
    <Group gap={4} wrap="nowrap">
      <CopyIcon text={m.url} label={`${t('home.copy_link')}: ${topic}`} testId="copy-link" />
      <Button
        component={Link}
        to={joinPath(m.meeting_no)}
        variant={m.status === 'running' ? 'filled' : 'default'}
        leftSection={<IconVideo size={17} aria-hidden />}
        aria-label={`${t('home.join_now')}: ${topic}`}
        data-testid="join-row"
      >
        {t('home.join_now')}
      </Button>
    </Group>
  );
}
