import { Badge, Checkbox, Group, Stack, Text } from '@mantine/core';
import * as api from '../../api/calls.ts';
import { useResource } from '../../api/resource.ts';
import { useTexts } from '../../i18n/index.tsx';
import { Loading, Problem } from '../../parts/states.tsx';

interface PickerProps {
  value: string[];
  onChange: (value: string[]) => void;
  /** Marked as asked for by a program that was refused. */
  asked?: string[];
}

/** ScopePicker lists every permission with what it means. What the app has and the server no longer lists stays. */
export function ScopePicker({ value, onChange, asked = [] }: PickerProps) {
  const { lang } = useTexts();
  const scopes = useResource('scopes', api.scopes);
  if (scopes.state === 'loading') return <Loading />;
  if (scopes.state === 'error') return <Problem error={scopes.error} onRetry={scopes.reload} />;
  const rows = scopes.data.map((s) => ({ id: s.name, text: lang === 'zh' ? s.text_zh : s.text_en }));
  const unlisted = value.filter((name) => !rows.some((r) => r.id === name)).map((id) => ({ id, text: '' }));
  return <Picker rows={[...rows, ...unlisted]} value={value} onChange={onChange} asked={asked} testId="scope" />;
}

/** EventPicker lists every event an app can subscribe to. */
export function EventPicker({ value, onChange }: PickerProps) {
  const { lang } = useTexts();
  const types = useResource('event-types', api.eventTypes);
  if (types.state === 'loading') return <Loading />;
  if (types.state === 'error') return <Problem error={types.error} onRetry={types.reload} />;
  return (
    <Picker
      rows={types.data.map((e) => ({ id: e.type, text: lang === 'zh' ? e.text_zh : e.text_en }))}
      value={value}
      onChange={onChange}
      asked={[]}
      testId="event-type"
    />
  );
}

interface Row {
  id: string;
  text: string;
}

function Picker({ rows, value, onChange, asked, testId }: { rows: Row[]; value: string[]; onChange: (v: string[]) => void; asked: string[]; testId: string }) {
  const { t } = useTexts();
  return (
    <Checkbox.Group value={value} onChange={onChange}>
      <Stack gap={10}>
        {rows.map((r) => (
          <Checkbox
            key={r.id}
            value={r.id}
            data-testid={testId}
            data-id={r.id}
            label={
              <Stack gap={0} component="span">
                <Group gap="xs" component="span">
                  <span>{r.text || r.id}</span>
                  {asked.includes(r.id) && (
                    <Badge size="sm" tt="none" radius="sm" color="yellow" variant="light">
                      {t('appx.scope_asked')}
                    </Badge>
                  )}
                </Group>
                {r.text && (
                  <Text component="span" size="xs" c="dimmed" className="mono">
                    {r.id}
                  </Text>
                )}
              </Stack>
            }
          />
        ))}
      </Stack>
    </Checkbox.Group>
  );
}
