import { Anchor, Badge, Group, Stack, Tabs, Text } from '@mantine/core';
import { IconArrowLeft, IconSearchOff } from '@tabler/icons-react';
import { useCallback, useState } from 'react';
import { Link, useParams, useSearchParams } from 'react-router';
import * as api from '../../api/calls.ts';
import { useResource } from '../../api/resource.ts';
import type { App, AppChange } from '../../api/types.ts';
import { useTexts } from '../../i18n/index.tsx';
import { RequireAdmin } from '../../parts/require.tsx';
import { Shell } from '../../parts/shell.tsx';
import { Loading, Notice, PageTitle, Problem } from '../../parts/states.tsx';
import style from './admin.module.css';
import { Basics } from './basics.tsx';
import { Deliveries } from './deliveries.tsx';
import { Events } from './events.tsx';
import { QuickStart } from './quickstart.tsx';
import { ScopesTab } from './scopestab.tsx';

export function AppPage() {
  const { app_id = '' } = useParams();
  return (
    <RequireAdmin>
      <Shell>
        <Found appID={app_id} key={app_id} />
      </Shell>
    </RequireAdmin>
  );
}

function Found({ appID }: { appID: string }) {
  const { t } = useTexts();
  const loaded = useResource(appID, (signal) => api.app(appID, signal));
  const [changed, setChanged] = useState<App | null>(null);
  const save = useCallback(async (change: AppChange) => setChanged(await api.changeApp(appID, change)), [appID]);
  if (loaded.state === 'loading') return <Loading />;
  if (loaded.state === 'error') {
    if (loaded.error.status === 404)
      return <Notice title={t('lost.title')} text={t('error.not_found')} icon={<IconSearchOff size={44} stroke={1.4} aria-hidden />} home />;
    return <Problem error={loaded.error} onRetry={loaded.reload} />;
  }
  return <Details app={changed ?? loaded.data} save={save} />;
}

/** What each tab gets: the app as it is, and a way to change it that throws the server's refusal. */
export interface TabProps {
  app: App;
  save: (change: AppChange) => Promise<void>;
}

const tabs = ['basics', 'scopes', 'events', 'deliveries', 'start'] as const;
type Tab = (typeof tabs)[number];

function Details({ app, save }: TabProps) {
  const { t } = useTexts();
  const [query, setQuery] = useSearchParams();
  const asked = (query.get('q') ?? '').split(/[\s,]+/).filter(Boolean);
  const tab = tabs.find((name) => name === query.get('tab')) ?? 'basics';
  const choose = (next: string | null) => setQuery(next && next !== 'basics' ? { tab: next } : {}, { replace: true });
  const content: Record<Tab, React.ReactNode> = {
    basics: <Basics app={app} save={save} />,
    scopes: <ScopesTab app={app} save={save} asked={asked} />,
    events: <Events app={app} save={save} />,
    deliveries: <Deliveries appID={app.app_id} />,
    start: <QuickStart app={app} />,
  };
  return (
    <Stack gap="md" data-testid="app-page" data-app-id={app.app_id}>
      <Anchor component={Link} to="/admin/apps" size="sm" style={{ display: 'inline-flex', alignItems: 'center', gap: 6, alignSelf: 'flex-start' }}>
        <IconArrowLeft size={16} aria-hidden />
        {t('appx.back')}
      </Anchor>
      <div>
        <Group gap="sm">
          <PageTitle size="h2">{app.name}</PageTitle>
          <Badge tt="none" radius="sm" variant="light" color={app.enabled ? 'lake' : 'gray'} data-testid="app-state">
            {t(app.enabled ? 'apps.enabled' : 'apps.disabled')}
          </Badge>
        </Group>
        <Text size="sm" c="dimmed" className="mono">
          {app.app_id}
        </Text>
      </div>
      <Tabs value={tab} onChange={choose} keepMounted={false}>
        <Tabs.List mb="md" className={style.scroll} style={{ flexWrap: 'nowrap' }}>
          {tabs.map((name) => (
            <Tabs.Tab key={name} value={name} data-testid={`tab-${name}`} style={{ whiteSpace: 'nowrap' }}>
              {t(`appx.tab_${name}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {tabs.map((name) => (
          <Tabs.Panel key={name} value={name}>
            {content[name]}
          </Tabs.Panel>
        ))}
      </Tabs>
    </Stack>
  );
}
