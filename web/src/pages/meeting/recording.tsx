import { notifications } from '@mantine/notifications';
import { IconPlayerRecordFilled, IconPlayerStopFilled } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { hostCalls } from '../../api/calls.ts';
import { ApiError, serverNow } from '../../api/client.ts';
import { errorText, useTexts } from '../../i18n/index.tsx';
import { clock } from '../../parts/format.ts';
import { useAnnouncer } from './announce.tsx';
import { ControlButton } from './control.tsx';
import type { RoomFacts } from './facts.ts';
import style from './room.module.css';

/** RecordingSign is the sign everybody sees while recording is on. */
export function RecordingSign({ facts }: { facts: RoomFacts }) {
  const { t } = useTexts();
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    if (!facts.recording) return;
    setNow(serverNow());
    const timer = setInterval(() => setNow(serverNow()), 500);
    return () => clearInterval(timer);
  }, [facts.recording]);
  if (!facts.recording) return null;
  const elapsed = facts.recordingSinceMs === null ? null : clock(now - facts.recordingSinceMs);
  return (
    <div
      className={style.rec}
      role="img"
      aria-label={t('room.rec_label', { time: elapsed ?? '' })}
      data-testid="rec-sign"
      data-since={facts.recordingSinceMs ?? ''}
    >
      <span className={style.recDot} />
      {t('room.rec')}
      {elapsed && <span className={style.recTime}>{elapsed}</span>}
    </div>
  );
}

/** useRecordingNews tells everybody when recording starts and stops, and who arrives that it is on. */
export function useRecordingNews(recording: boolean) {
  const { t } = useTexts();
  const { tell } = useAnnouncer();
  const before = useRef<boolean | null>(null);
  useEffect(() => {
    if (before.current === recording) return;
    const arrival = before.current === null;
    before.current = recording;
    if (recording) tell(t(arrival ? 'room.rec_on_arrival' : 'room.rec_started'), { urgent: true });
    else if (!arrival) tell(t('room.rec_stopped'));
  }, [recording, t, tell]);
}

/** How long the room may take to show what the server accepted. */
const patienceMs = 10_000;

/** RecordButton is the host's. It waits for the room to say that recording changed, not for its own wish. */
export function RecordButton({ meeting, recording }: { meeting: string; recording: boolean }) {
  const texts = useTexts();
  const { t } = texts;
  const { tell } = useAnnouncer();
  const [wanted, setWanted] = useState<boolean | null>(null);
  useEffect(() => {
    if (wanted === null) return;
    if (wanted === recording) {
      setWanted(null);
      return;
    }
    const timer = setTimeout(() => {
      setWanted(null);
      tell(t('room.rec_slow'));
    }, patienceMs);
    return () => clearTimeout(timer);
  }, [wanted, recording, t, tell]);

  const press = async () => {
    setWanted(!recording);
    try {
      await hostCalls.record(meeting, recording ? 'stop' : 'start');
    } catch (cause) {
      setWanted(null);
      const error = cause instanceof ApiError ? cause : new ApiError(0, 'unexpected');
      notifications.show({ color: 'coral', message: t('room.rec_failed', { why: errorText(error, texts) }) });
    }
  };
  return (
    <ControlButton
      label={t(recording ? 'room.record_stop' : 'room.record')}
      caption={t(recording ? 'room.record_stop_short' : 'room.record_short')}
      icon={recording ? <IconPlayerStopFilled aria-hidden /> : <IconPlayerRecordFilled color="var(--mantine-color-coral-5)" aria-hidden />}
      onClick={press}
      busy={wanted !== null}
      testId="record"
      state={recording ? 'on' : 'off'}
    />
  );
}
