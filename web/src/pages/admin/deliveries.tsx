import { Badge, Button, Group, Stack, Table, Text } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import * as api from '../../api/calls.ts';
import { useResource } from '../../api/resource.ts';
import type { Attempt, Delivery } from '../../api/types.ts';
import { useTexts } from '../../i18n/index.tsx';
import { dateTime, timeOfDay } from '../../parts/format.ts';
import { Loading, Problem, Stale } from '../../parts/states.tsx';
import style from './admin.module.css';

const colors: Record<Delivery['state'], string> = { pending: 'yellow', delivered: 'lake', failed: 'coral' };

/** Deliveries answers "what happened to my event?": each event and each attempt. */
export function Deliveries({ appID }: { appID: string }) {
  const { t } = useTexts();
  const found = useResource(appID, (signal) => api.deliveries(appID, signal), {
    every: (r) => (r.data?.some((d) => d.state === 'pending') ? 5000 : 0),
  });
  return (
    <section className={`card ${style.panel}`}>
      <Stack>
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <Text size="sm" c="dimmed" maw={640}>
            {t('appx.deliveries_lead')}
          </Text>
          <Button variant="default" size="xs" leftSection={<IconRefresh size={15} aria-hidden />} onClick={found.reload} style={{ flex: 'none' }}>
            {t('appx.refresh')}
          </Button>
        </Group>
        <Stale error={found.state === 'ready' ? found.error : undefined} />
        {found.state === 'loading' && <Loading />}
        {found.state === 'error' && <Problem error={found.error} onRetry={found.reload} />}
        {found.state === 'ready' &&
          (found.data.length === 0 ? <Text data-testid="no-deliveries">{t('appx.deliveries_empty')}</Text> : <Listed deliveries={found.data} />)}
      </Stack>
    </section>
  );
}

function Listed({ deliveries }: { deliveries: Delivery[] }) {
  const { t, lang } = useTexts();
  return (
    <Table.ScrollContainer minWidth={640}>
      <Table verticalSpacing="sm" data-testid="deliveries">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('appx.delivery_event')}</Table.Th>
            <Table.Th>{t('appx.delivery_when')}</Table.Th>
            <Table.Th>{t('appx.delivery_state')}</Table.Th>
            <Table.Th>{t('appx.delivery_attempts')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {deliveries.map((d) => (
            <Table.Tr key={d.event_id} data-testid="delivery" data-type={d.type} data-state={d.state} style={{ verticalAlign: 'top' }}>
              <Table.Td>
                <Text size="sm" className="mono">
                  {d.type}
                </Text>
                <Text size="xs" c="dimmed" className="mono">
                  {d.event_id}
                </Text>
              </Table.Td>
              <Table.Td style={{ whiteSpace: 'nowrap' }}>{dateTime(d.created_ms, lang)}</Table.Td>
              <Table.Td>
                <Badge tt="none" radius="sm" variant="light" color={colors[d.state] ?? 'gray'}>
                  {t(`appx.delivery_${d.state}`)}
                </Badge>
              </Table.Td>
              <Table.Td>
                <Attempts attempts={d.attempts ?? []} />
                {d.next_ms && d.state === 'pending' && (
                  <Text size="xs" c="dimmed">
                    {t('appx.delivery_next', { when: timeOfDay(d.next_ms, lang) })}
                  </Text>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Attempts({ attempts }: { attempts: Attempt[] }) {
  const { t, lang } = useTexts();
  if (attempts.length === 0) return <Text size="sm">{t('appx.attempt_none')}</Text>;
  return (
    <Stack component="ol" gap={2} m={0} p={0} style={{ listStyle: 'none' }}>
      {attempts.map((a, i) => {
        const when = timeOfDay(a.at_ms, lang);
        return (
          <Text component="li" size="sm" key={i} c={a.error ? 'coral' : undefined}>
            {a.error ? t('appx.attempt_failed', { when, error: a.error }) : t('appx.attempt', { when, status: a.status, ms: Math.round(a.latency_ms) })}
          </Text>
        );
      })}
    </Stack>
  );
}
