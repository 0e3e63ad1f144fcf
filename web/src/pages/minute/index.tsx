import { Alert, Anchor, Button, Group, SimpleGrid, Stack, Text } from '@mantine/core';
import { IconCalendar, IconClock, IconDownload, IconHourglass, IconLock, IconSearchOff, IconTrash, IconUser } from '@tabler/icons-react';
import { type ReactNode, useEffect, useState } from 'react';
import { Navigate, useLocation, useNavigate, useParams } from 'react-router';
import * as api from '../../api/calls.ts';
import type { ApiError } from '../../api/client.ts';
import { useResource } from '../../api/resource.ts';
import type { Minute } from '../../api/types.ts';
import { useTexts } from '../../i18n/index.tsx';
import { loginPath } from '../../parts/address.ts';
import { CopyButton } from '../../parts/copy.tsx';
import { dateTime, length, timeOfDay } from '../../parts/format.ts';
import { RequireSession } from '../../parts/require.tsx';
import { useSession } from '../../parts/session.tsx';
import { Shell } from '../../parts/shell.tsx';
import { Loading, Notice, PageTitle, Problem } from '../../parts/states.tsx';
import style from './minute.module.css';

export function MinutePage() {
  const { token = '' } = useParams();
  return (
    <RequireSession>
      <Shell width={1080}>
        <Loaded token={token} key={token} />
      </Shell>
    </RequireSession>
  );
}

/** Loaded waits by itself while the recording is being made. */
function Loaded({ token }: { token: string }) {
  const minute = useResource(token, (signal) => api.minute(token, signal), { every: (r) => (r.error?.status === 409 ? 5000 : 0) });
  if (minute.state === 'loading') return <Loading />;
  if (minute.state === 'error') return <Refused error={minute.error} onRetry={minute.reload} />;
  return <Watch minute={minute.data} />;
}

/** Refused tells apart why there is nothing to see, and says nothing about what is behind the link. */
function Refused({ error, onRetry }: { error: ApiError; onRetry: () => void }) {
  const { t } = useTexts();
  const here = useLocation();
  const { ended } = useSession();
  const expired = error.status === 401;
  useEffect(() => {
    if (expired) ended();
  }, [expired, ended]);
  if (expired) return <Navigate to={loginPath(here)} replace />;
  const icon = (Icon: typeof IconLock) => <Icon size={44} stroke={1.4} aria-hidden />;
  switch (error.status) {
    case 403:
      return <Forbidden icon={icon(IconLock)} />;
    case 404:
      return <Notice title={t('minute.missing_title')} text={t('minute.missing_text')} icon={icon(IconSearchOff)} home testId="minute-missing" />;
    case 409:
      return <Notice title={t('minute.processing_title')} text={t('minute.processing_text')} icon={icon(IconHourglass)} home testId="minute-processing" />;
    case 410:
      return <Notice title={t('minute.gone_title')} text={t('minute.gone_text')} icon={icon(IconTrash)} home testId="minute-gone" />;
    default:
      return <Problem error={error} onRetry={onRetry} />;
  }
}

function Forbidden({ icon }: { icon: ReactNode }) {
  const { t } = useTexts();
  const { me, logout } = useSession();
  const here = useLocation();
  const navigate = useNavigate();
  const other = async () => {
    await logout();
    navigate(loginPath(here));
  };
  return (
    <Notice title={t('minute.forbidden_title')} text={t('minute.forbidden_text')} icon={icon} home testId="minute-forbidden">
      {me && (
        <Text size="sm">
          {t('minute.signed_in_as', { name: me.user.name })}{' '}
          <Anchor component="button" onClick={other}>
            {t('minute.other_account')}
          </Anchor>
        </Text>
      )}
    </Notice>
  );
}

function Watch({ minute: m }: { minute: Minute }) {
  const { t, lang } = useTexts();
  const [broken, setBroken] = useState(false);
  const title = m.title || t('minute.untitled');
  const people = m.participants ?? [];
  return (
    <Stack gap="lg" data-testid="minute" data-token={m.token}>
      <Group justify="space-between" align="flex-start" gap="md">
        <Stack gap={6} miw={0} style={{ flex: '1 1 320px' }}>
          <PageTitle size="h2">{title}</PageTitle>
          <Group gap="md" c="dimmed">
            <Fact icon={<IconCalendar size={17} aria-hidden />} name={t('minute.when')} value={dateTime(m.start_ms, lang)} />
            <Fact icon={<IconClock size={17} aria-hidden />} name={t('minute.length')} value={length(m.duration_ms, lang)} testId="minute-length" />
            <Fact icon={<IconUser size={17} aria-hidden />} name={t('minute.owner')} value={m.owner_name} />
          </Group>
        </Stack>
        <Group gap="xs">
          <CopyButton text={`${location.origin}/minutes/${m.token}`} label={t('minute.copy_link')} testId="minute-copy" />
          {m.can_download && (
            <Button component="a" href={savingAddress(m.media_url)} download leftSection={<IconDownload size={17} aria-hidden />} data-testid="minute-download">
              {t('minute.download')}
            </Button>
          )}
        </Group>
      </Group>
      {broken && (
        <Alert color="coral" variant="light" role="alert" data-testid="minute-broken">
          {t('minute.broken')}
        </Alert>
      )}
      <video
        className={style.video}
        controls
        playsInline
        preload="metadata"
        src={m.media_url}
        poster={m.poster_url ?? undefined}
        aria-label={t('minute.watch', { title })}
        onError={() => setBroken(true)}
        onLoadedMetadata={() => setBroken(false)}
        data-testid="minute-video"
      />
      {m.is_owner && (
        <Text size="sm" c="dimmed">
          <IconLock size={15} style={{ verticalAlign: '-2px', marginInlineEnd: 6 }} aria-hidden />
          {t('minute.private')}
        </Text>
      )}
      <Defects defects={m.defects ?? []} />
      <People people={people} />
    </Stack>
  );
}

function Fact({ icon, name, value, testId }: { icon: ReactNode; name: string; value: string; testId?: string }) {
  return (
    <Group gap={6} wrap="nowrap" align="flex-start">
      <Text component="span" lh={0} mt={2}>
        {icon}
      </Text>
      <Text size="sm" data-testid={testId}>
        <span className="hidden">{name}: </span>
        {value}
      </Text>
    </Group>
  );
}

/** Defects says honestly what the file lacks. */
function Defects({ defects }: { defects: string[] }) {
  const { t } = useTexts();
  if (defects.length === 0) return null;
  return (
    <Alert color="yellow" variant="light" title={t('minute.defects_title')} data-testid="minute-defects">
      <Text size="sm">{t('minute.defects_text')}</Text>
      <Text component="ul" size="sm" m={0} pl="md" mt={6}>
        {defects.map((d, i) => (
          <li key={i}>{d}</li>
        ))}
      </Text>
    </Alert>
  );
}

function People({ people }: { people: Minute['participants'] }) {
  const { t, tn, lang } = useTexts();
  return (
    <section aria-labelledby="people">
      <Text component="h2" id="people" fw={600} fz="md" mb="xs">
        {tn('minute.people', people.length)}
      </Text>
      {people.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t('minute.nobody')}
        </Text>
      ) : (
        <SimpleGrid component="ul" cols={{ base: 1, sm: 2, md: 3 }} spacing="xs" m={0} p={0} style={{ listStyle: 'none' }} data-testid="minute-people">
          {people.map((p, i) => (
            <li key={i} className={`card ${style.person}`}>
              <Text size="sm" fw={500} style={{ overflowWrap: 'anywhere' }}>
                {p.name}
              </Text>
              <Text size="xs" c="dimmed" style={{ fontVariantNumeric: 'tabular-nums' }}>
                {p.left_ms
                  ? t('minute.from_to', { from: timeOfDay(p.joined_ms, lang), to: timeOfDay(p.left_ms, lang) })
                  : t('minute.from', { from: timeOfDay(p.joined_ms, lang) })}
              </Text>
            </li>
          ))}
        </SimpleGrid>
      )}
    </section>
  );
}

/** The address under which the server sends the file to be kept, with a name. */
export function savingAddress(mediaURL: string): string {
  return `${mediaURL}${mediaURL.includes('?') ? '&' : '?'}download=1`;
}
