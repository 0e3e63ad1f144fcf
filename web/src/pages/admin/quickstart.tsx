import { Stack, Text } from '@mantine/core';
import type { App } from '../../api/types.ts';
import { useTexts } from '../../i18n/index.tsx';
import { Code, CopyField } from '../../parts/copy.tsx';
import program from '../../../quickstart/main.go?raw';
import style from './admin.module.css';

/** goProgram is quickstart/main.go for one server and one app. */
export function goProgram(source: string, baseURL: string, appID: string): string {
  return source
    .replace(/^(\/\/.*\n)+(?=package)/, '')
    .replace('https://huilu.example', baseURL)
    .replace('cli_example', appID);
}

/** curlProgram gets a token by hand; the secret comes from the environment so that it stays out of the history. */
export function curlProgram(baseURL: string, appID: string): string {
  return [
    `curl -s ${baseURL}/open-apis/auth/v3/tenant_access_token/internal \\`,
    `  -H 'Content-Type: application/json; charset=utf-8' \\`,
    `  -d '{"app_id":"${appID}","app_secret":"'"$APP_SECRET"'"}'`,
  ].join('\n');
}

/** QuickStart is what a developer needs to make the first call to this server. */
export function QuickStart({ app }: { app: App }) {
  const { t } = useTexts();
  const baseURL = location.origin;
  return (
    <section className={`card ${style.panel}`}>
      <Stack>
        <Text>{t('appx.start_lead')}</Text>
        <CopyField label={t('appx.base_url')} value={baseURL} testId="base-url" />
        <Text size="sm" c="dimmed">
          {t('appx.start_steps')} {t('appx.start_needs')}
        </Text>
        <Code text={goProgram(program, baseURL, app.app_id)} label={`${t('app.copy')}: main.go`} testId="quickstart-go" />
        <Text size="sm" c="dimmed">
          {t('appx.start_curl')}
        </Text>
        <Code text={curlProgram(baseURL, app.app_id)} label={`${t('app.copy')}: curl`} testId="quickstart-curl" />
      </Stack>
    </section>
  );
}
