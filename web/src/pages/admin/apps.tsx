import { Alert, Badge, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconApps, IconChevronRight, IconPlus } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import * as api from '../../api/calls.ts';
import { ApiError } from '../../api/client.ts';
import { useResource } from '../../api/resource.ts';
import type { App, NewApp } from '../../api/types.ts';
import { errorText, useTexts } from '../../i18n/index.tsx';
import { CopyField } from '../../parts/copy.tsx';
import { dateTime } from '../../parts/format.ts';
import { RequireAdmin } from '../../parts/require.tsx';
import { Shell } from '../../parts/shell.tsx';
import { Loading, Notice, PageTitle, Problem } from '../../parts/states.tsx';
import style from './admin.module.css';
import { ScopePicker } from './scopes.tsx';

export function AppsPage() {
  return (
    <RequireAdmin>
      <Shell>
        <Apps />
      </Shell>
    </RequireAdmin>
  );
}

function Apps() {
  const { t } = useTexts();
  const apps = useResource('apps', api.apps);
  const [making, { open, close }] = useDisclosure(false);
  return (
    <>
      <Group justify="space-between" align="flex-end" mb="lg" wrap="wrap">
        <Stack gap={2} style={{ flex: '1 1 320px' }}>
          <PageTitle size="h2">{t('apps.title')}</PageTitle>
          <Text c="dimmed" size="sm">
            {t('apps.lead')}
          </Text>
        </Stack>
        <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={open} data-testid="new-app">
          {t('apps.new')}
        </Button>
      </Group>
      {apps.state === 'loading' && <Loading />}
      {apps.state === 'error' && <Problem error={apps.error} onRetry={apps.reload} />}
      {apps.state === 'ready' && <AppList apps={apps.data} onNew={open} />}
      <NewAppDialog opened={making} onClose={close} />
    </>
  );
}

function AppList({ apps, onNew }: { apps: App[]; onNew: () => void }) {
  const { t, tn, lang } = useTexts();
  if (apps.length === 0) {
    return (
      <div className="card">
        <Notice title={t('apps.empty_title')} text={t('apps.empty_text')} icon={<IconApps size={44} stroke={1.3} aria-hidden />} testId="no-apps">
          <Button onClick={onNew}>{t('apps.new')}</Button>
        </Notice>
      </div>
    );
  }
  return (
    <Stack component="ul" gap="sm" m={0} p={0} style={{ listStyle: 'none' }} data-testid="apps">
      {apps.map((a) => (
        <li key={a.app_id}>
          <Link to={`/admin/apps/${a.app_id}`} className={`card ${style.app}`} data-testid="app" data-app-id={a.app_id}>
            <Stack gap={2} miw={0} style={{ flex: 1 }}>
              <Group gap="xs">
                <Text fw={600}>{a.name}</Text>
                <Badge tt="none" radius="sm" variant="light" color={a.enabled ? 'lake' : 'gray'}>
                  {t(a.enabled ? 'apps.enabled' : 'apps.disabled')}
                </Badge>
              </Group>
              <Text size="sm" c="dimmed">
                <span className="mono">{a.app_id}</span> · {tn('apps.scopes', a.scopes?.length ?? 0)} ·{' '}
                {t('apps.created', { when: dateTime(a.created_ms, lang) })}
              </Text>
            </Stack>
            <IconChevronRight size={18} aria-hidden />
          </Link>
        </li>
      ))}
    </Stack>
  );
}

/** The dialog that made an app cannot be closed by a stray click: its secret is shown only here. */
function NewAppDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTexts();
  const navigate = useNavigate();
  const [made, setMade] = useState<NewApp | null>(null);
  const done = () => {
    onClose();
    if (made) navigate(`/admin/apps/${made.app_id}`);
  };
  return (
    <Modal
      opened={opened}
      onClose={done}
      title={t(made ? 'apps.created_title' : 'apps.new')}
      size="lg"
      closeOnClickOutside={!made}
      closeOnEscape={!made}
      withCloseButton={!made}
    >
      {made ? (
        <Stack data-testid="app-made">
          <Alert color="yellow" variant="light">
            {t('apps.secret_once')}
          </Alert>
          <CopyField label={t('apps.app_id')} value={made.app_id} testId="made-app-id" />
          <CopyField label={t('apps.secret')} value={made.app_secret} testId="made-app-secret" />
          <Group justify="flex-end">
            <Button onClick={done} data-testid="secret-copied">
              {t('apps.secret_done')}
            </Button>
          </Group>
        </Stack>
      ) : (
        <NewAppForm onMade={setMade} onCancel={onClose} />
      )}
    </Modal>
  );
}

/** What an app that fetches recordings needs; ticked to begin with. */
const usual = ['vc:record:readonly', 'vc:reserve', 'vc:meeting:readonly'];

function NewAppForm({ onMade, onCancel }: { onMade: (a: NewApp) => void; onCancel: () => void }) {
  const texts = useTexts();
  const { t } = texts;
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<string[]>(usual);
  const [bad, setBad] = useState<{ name?: string; form?: string }>({});
  const [busy, setBusy] = useState(false);
  const submit = async (e: FormEvent) => {
    e.preventDefault();
    if (name.trim() === '') {
      setBad({ name: t('apps.name_needed') });
      return;
    }
    setBusy(true);
    try {
      onMade(await api.createApp({ name: name.trim(), scopes }));
    } catch (cause) {
      const error = cause instanceof ApiError ? cause : new ApiError(0, 'unexpected');
      setBad({ [error.field === 'name' ? 'name' : 'form']: errorText(error, texts) });
      setBusy(false);
    }
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {bad.form && (
          <Alert color="coral" variant="light" role="alert">
            {bad.form}
          </Alert>
        )}
        <TextInput
          label={t('apps.name')}
          description={t('apps.name_help')}
          value={name}
          maxLength={60}
          onChange={(e) => setName(e.currentTarget.value)}
          error={bad.name}
          data-autofocus
          data-testid="app-name"
        />
        <Stack gap="xs">
          <div>
            <Text size="sm" fw={600}>
              {t('apps.scopes')}
            </Text>
            <Text size="xs" c="dimmed">
              {t('apps.scopes_needed')}
            </Text>
          </div>
          <div className={style.choices}>
            <ScopePicker value={scopes} onChange={setScopes} />
          </div>
        </Stack>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onCancel}>
            {t('app.cancel')}
          </Button>
          <Button type="submit" loading={busy} data-testid="app-create">
            {t('apps.create')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
