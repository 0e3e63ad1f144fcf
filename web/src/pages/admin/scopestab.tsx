import { Alert, Stack, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useTexts } from '../../i18n/index.tsx';
import style from './admin.module.css';
import type { TabProps } from './app.tsx';
import { SaveBar, sameSet, useSaving } from './save.tsx';
import { ScopePicker } from './scopes.tsx';

export function ScopesTab({ app, save, asked }: TabProps & { asked: string[] }) {
  const { t } = useTexts();
  const had = app.scopes ?? [];
  const [scopes, setScopes] = useState(had);
  const { busy, refused, run } = useSaving();
  const missing = asked.filter((name) => !had.includes(name));
  const submit = (e: FormEvent) => {
    e.preventDefault();
    void run(() => save({ scopes }));
  };
  return (
    <form onSubmit={submit} className={`card ${style.panel}`}>
      <Stack>
        <Text size="sm" c="dimmed">
          {t('appx.scopes_lead')}
        </Text>
        {missing.length > 0 && (
          <Alert color="yellow" variant="light" data-testid="scopes-asked">
            {t('appx.scopes_asked')}
          </Alert>
        )}
        <ScopePicker value={scopes} onChange={setScopes} asked={missing} />
        <SaveBar busy={busy} refused={refused?.text} dirty={!sameSet(scopes, had)} testId="save-scopes" />
      </Stack>
    </form>
  );
}
