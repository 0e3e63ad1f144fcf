import { Alert, Button, Group, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { errorText, useTexts } from '../../i18n/index.tsx';

/** useSaving runs a change: busy meanwhile, a toast after, the refusal in words when there is one. */
export function useSaving() {
  const texts = useTexts();
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<{ text: string; error: ApiError } | null>(null);
  const run = async (work: () => Promise<unknown>, done: string = texts.t('app.saved')): Promise<boolean> => {
    setBusy(true);
    setRefused(null);
    try {
      await work();
      notifications.show({ message: done, color: 'lake' });
      return true;
    } catch (cause) {
      const error = cause instanceof ApiError ? cause : new ApiError(0, 'unexpected');
      setRefused({ text: errorText(error, texts), error });
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, refused, run };
}

/** SaveBar ends a form: why saving was refused, that something is unsaved, and the button. */
export function SaveBar({ busy, refused, dirty, testId }: { busy: boolean; refused?: string; dirty: boolean; testId: string }) {
  const { t } = useTexts();
  return (
    <>
      {refused && (
        <Alert color="coral" variant="light" role="alert" data-testid={`${testId}-refused`}>
          {refused}
        </Alert>
      )}
      <Group gap="md">
        <Button type="submit" loading={busy} disabled={!dirty} data-testid={testId}>
          {t('app.save')}
        </Button>
        {dirty && (
          <Text size="sm" c="dimmed">
            {t('appx.unsaved')}
          </Text>
        )}
      </Group>
    </>
  );
}

/** sameSet compares lists whose order does not matter. */
export function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((v) => b.includes(v));
}

/** isAddress says whether text is a full http or https address. */
export function isAddress(text: string): boolean {
  try {
    return /^https?:$/.test(new URL(text).protocol);
  } catch {
    return false;
  }
}
