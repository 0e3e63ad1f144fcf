import { Button, Group, Loader, Progress, Stack, Text } from '@mantine/core';
import { IconDoorExit, IconMoodSad, IconPlayerPlayFilled, IconPlugOff, IconUserOff, IconDevices, IconCircleCheck } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import * as api from '../../api/calls.ts';
import { useResource } from '../../api/resource.ts';
import { useTexts } from '../../i18n/index.tsx';
import { useSession } from '../../parts/session.tsx';
import { Notice } from '../../parts/states.tsx';
import { hintOf, minutePath } from '../home/state.ts';
import type { Seat, Why } from './phase.ts';

const icons: Record<Why, typeof IconDoorExit> = { left: IconDoorExit, ended: IconCircleCheck, removed: IconUserOff, elsewhere: IconDevices, lost: IconPlugOff };

/** Over says why the meeting is over for this person, and what becomes of the recording. */
export function Over({ why, seat, topic, onAgain }: { why: Why; seat: Seat; topic: string; onAgain: () => void }) {
  const { t } = useTexts();
  const { me } = useSession();
  const Icon = icons[why] ?? IconMoodSad;
  return (
    <Notice
      title={t(`over.${why}_title`)}
      text={
        <>
          {topic && <strong>{topic}. </strong>}
          {t(`over.${why}_text`)}
        </>
      }
      icon={<Icon size={44} stroke={1.4} aria-hidden />}
      testId={`over-${why}`}
    >
      <Afterwards seat={seat} />
      <Group justify="center" gap="xs">
        {why !== 'ended' && (
          <Button onClick={onAgain} variant={me ? 'default' : 'filled'} data-testid="rejoin">
            {t('over.rejoin')}
          </Button>
        )}
        {me && (
          <Button component={Link} to="/" data-testid="over-home">
            {t('app.back_home')}
          </Button>
        )}
      </Group>
    </Notice>
  );
}

/** Guests cannot look it up; people with an account see the recording come along. */
function Afterwards({ seat }: { seat: Seat }) {
  const { me } = useSession();
  const { t } = useTexts();
  if (!me) return seat.recorded ? <RecordingBox>{t('over.rec_guest')}</RecordingBox> : null;
  return <Progressing seat={seat} />;
}

function Progressing({ seat }: { seat: Seat }) {
  const texts = useTexts();
  const { t } = texts;
  const list = useResource('after', (signal) => api.meetings('', signal), { every: 4000 });
  const meeting = list.data?.items?.find((m) => m.meeting_id === seat.joined.meeting_id);
  const state = meeting?.recording?.state ?? 'none';
  if (!seat.recorded && state === 'none') return null;
  if (meeting && !meeting.is_owner) return <RecordingBox>{t('over.rec_not_mine')}</RecordingBox>;
  const minute = meeting && minutePath(meeting);
  const share = meeting?.recording?.progress;
  return (
    <RecordingBox state={state}>
      {minute ? t('chip.ready') : ((meeting && hintOf(meeting, texts)) ?? t('over.rec_after'))}
      {meeting?.status === 'ended' && state === 'processing' && typeof share === 'number' && (
        <Progress value={share * 100} mt="xs" aria-label={t('chip.processing')} />
      )}
      {minute && (
        <div style={{ marginTop: 'var(--mantine-spacing-sm)' }}>
          <Button component={Link} to={minute} leftSection={<IconPlayerPlayFilled size={16} aria-hidden />} data-testid="watch">
            {t('home.watch')}
          </Button>
        </div>
      )}
    </RecordingBox>
  );
}

function RecordingBox({ children, state }: { children: ReactNode; state?: string }) {
  const { t } = useTexts();
  return (
    <Stack gap={4} className="card" p="md" w="100%" ta="start" data-testid="afterwards" data-recording={state} role="status">
      <Text size="sm" fw={600}>
        {t('over.rec_title')}
      </Text>
      <Text size="sm" c="dimmed" component="div">
        {children}
      </Text>
    </Stack>
  );
}

export function Returning({ attempt, of, onStop }: { attempt: number; of: number; onStop: () => void }) {
  const { t } = useTexts();
  return (
    <Notice title={t('over.returning_title')} text={t('over.returning_text', { n: attempt, of })} icon={<Loader size={40} />} testId="returning">
      <Button variant="default" onClick={onStop}>
        {t('over.give_up')}
      </Button>
    </Notice>
  );
}
