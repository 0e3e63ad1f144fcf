import { Button, Group, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { IconPlus, IconVideo } from '@tabler/icons-react';
import { type FormEvent, useEffect, useState } from 'react';
import { useNavigate } from 'react-router';
import * as api from '../../api/calls.ts';
import { ApiError } from '../../api/client.ts';
import { useResource } from '../../api/resource.ts';
import type { Meeting, Page } from '../../api/types.ts';
import { errorText, useTexts } from '../../i18n/index.tsx';
import { meetingNumber } from '../../parts/format.ts';
import { RequireSession } from '../../parts/require.tsx';
import { useSession } from '../../parts/session.tsx';
import { Shell } from '../../parts/shell.tsx';
import { Loading, Notice, PageTitle, Problem, Stale } from '../../parts/states.tsx';
import { MeetingRow } from './row.tsx';
import { NewMeeting } from './new.tsx';
import { joinPath, refreshAfter } from './state.ts';

export function HomePage() {
  return (
    <RequireSession>
      <Shell>
        <Home />
      </Shell>
    </RequireSession>
  );
}

function Home() {
  const { t } = useTexts();
  const [making, { open, close }] = useDisclosure(false);
  return (
    <>
      <Group justify="space-between" align="flex-end" mb="lg">
        <Stack gap={2}>
          <PageTitle size="h2">{t('home.title')}</PageTitle>
          <Text c="dimmed" size="sm">
            {t('home.lead')}
          </Text>
        </Stack>
        <Button size="md" leftSection={<IconPlus size={18} aria-hidden />} onClick={open} data-testid="new-meeting">
          {t('home.new')}
        </Button>
      </Group>
      <JoinByNumber />
      <MeetingList onNew={open} refresh={making} />
      <NewMeeting opened={making} onClose={close} />
    </>
  );
}

function JoinByNumber() {
  const { t } = useTexts();
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const [bad, setBad] = useState(false);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const no = meetingNumber(typed);
    setBad(no === null);
    if (no) navigate(joinPath(no));
  };
  return (
    <form
      onSubmit={submit}
      className="card"
      style={{ padding: 'var(--mantine-spacing-md)', marginBottom: 'var(--mantine-spacing-lg)' }}
      data-testid="join-by-number"
    >
      <SimpleGrid cols={1}>
        <TextInput
          label={t('home.join_label')}
          placeholder={t('home.join_placeholder')}
          inputMode="numeric"
          autoComplete="off"
          value={typed}
          onChange={(e) => {
            setTyped(e.currentTarget.value);
            setBad(false);
          }}
          error={bad && t('home.join_bad')}
          inputContainer={(input) => (
            <Group gap="xs" wrap="nowrap" align="flex-start">
              <div style={{ flex: 1, maxWidth: 320 }}>{input}</div>
              <Button type="submit" variant="default" data-testid="join-number-submit">
                {t('home.join_submit')}
              </Button>
            </Group>
          )}
          data-testid="join-number"
        />
      </SimpleGrid>
    </form>
  );
}

/** MeetingList refreshes its first page while something moves; older pages are added below it on demand. */
function MeetingList({ onNew, refresh }: { onNew: () => void; refresh: boolean }) {
  const texts = useTexts();
  const { t } = texts;
  const { ended } = useSession();
  const first = useResource('meetings', (signal) => api.meetings('', signal), { every: (r) => (r.data ? refreshAfter(r.data.items ?? []) : 0) });
  const [older, setOlder] = useState<Page<Meeting> | null>(null);
  const [busy, setBusy] = useState(false);
  const { reload } = first;

  useEffect(() => {
    if (!refresh) reload(); // a dialog was closed: there may be one more
  }, [refresh, reload]);
  useEffect(() => {
    if (first.error?.status === 401) ended();
  }, [first.error, ended]);

  if (first.state === 'loading') return <Loading />;
  if (first.state === 'error') return <Problem error={first.error} onRetry={reload} />;

  const newest = first.data.items ?? [];
  const seen = new Set(newest.map(keyOf));
  const all = [...newest, ...(older?.items ?? []).filter((m) => !seen.has(keyOf(m)))];
  const next = older ? older.next : first.data.next;

  const more = async () => {
    if (!next) return;
    setBusy(true);
    try {
      const page = await api.meetings(next);
      setOlder({ items: [...(older?.items ?? []), ...(page.items ?? [])], next: page.next });
    } catch (error) {
      if (error instanceof ApiError) notifications.show({ color: 'coral', message: errorText(error, texts) });
    } finally {
      setBusy(false);
    }
  };

  if (all.length === 0) {
    return (
      <div className="card">
        <Notice title={t('home.empty_title')} text={t('home.empty_text')} icon={<IconVideo size={44} stroke={1.3} aria-hidden />} testId="no-meetings">
          <Button onClick={onNew}>{t('home.new')}</Button>
        </Notice>
      </div>
    );
  }
  return (
    <Stack gap="sm">
      <Stale error={first.error} />
      <Stack component="ul" gap="sm" m={0} p={0} style={{ listStyle: 'none' }} aria-label={t('home.list')} data-testid="meetings">
        {all.map((m) => (
          <MeetingRow key={keyOf(m)} meeting={m} />
        ))}
      </Stack>
      {next && (
        <Button variant="default" onClick={more} loading={busy} data-testid="more-meetings">
          {t('home.more')}
        </Button>
      )}
    </Stack>
  );
}

/** A reserve may become several meetings, so the number alone does not name a row. */
const keyOf = (m: Meeting) => m.meeting_id ?? `reserve-${m.meeting_no}`;
