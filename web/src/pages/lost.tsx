import { Button, Code, Stack, Text } from '@mantine/core';
import { IconCompass, IconMoodSad } from '@tabler/icons-react';
import { useRouteError } from 'react-router';
import { useTexts } from '../i18n/index.tsx';
import { Gate } from '../parts/gate.tsx';
import { Notice } from '../parts/states.tsx';

/** Lost is shown for every address that is no page. */
export function Lost() {
  const { t } = useTexts();
  return (
    <Gate>
      <Notice title={t('lost.title')} text={t('lost.text')} icon={<IconCompass size={44} stroke={1.4} aria-hidden />} home testId="lost" />
    </Gate>
  );
}

/** After an update of the server the hashed files of the old pages are gone; browsers word that differently. */
function isMissingChunk(error: unknown): boolean {
  return error instanceof Error && /dynamically imported module|importing a module script failed|error loading dynamically/i.test(error.message);
}

/** Crash is what remains when a page throws: what happened, and a way on. */
export function Crash() {
  const { t } = useTexts();
  const error = useRouteError();
  const updated = isMissingChunk(error);
  return (
    <Gate>
      <Notice
        title={t('error.crashed_title')}
        text={t(updated ? 'error.crashed_new' : 'error.crashed_text')}
        icon={<IconMoodSad size={44} stroke={1.4} aria-hidden />}
        testId="crash"
      >
        <Button onClick={() => location.reload()}>{t('error.reload')}</Button>
        {!updated && (
          <Stack gap={4} w="100%" ta="start">
            <Text size="xs" c="dimmed">
              {t('error.details')}
            </Text>
            <Code block>{error instanceof Error ? `${error.name}: ${error.message}` : String(error)}</Code>
          </Stack>
        )}
      </Notice>
    </Gate>
  );
}
