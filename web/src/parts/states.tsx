// What a page shows when it has nothing to show: loading, refused, empty.

import { Alert, Button, Center, Group, Loader, Stack, Text, Title } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Link } from 'react-router';
import type { ApiError } from '../api/client.ts';
import { errorText, useTexts } from '../i18n/index.tsx';

/** Loading appears only after a moment, so that quick answers do not flicker. */
export function Loading() {
  const { t } = useTexts();
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 200);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Center mih={240} style={{ flex: 1 }} role="status" data-testid="loading">
      {late && (
        <Group gap="sm">
          <Loader size="sm" />
          <Text c="dimmed">{t('app.loading')}</Text>
        </Group>
      )}
    </Center>
  );
}

/** Problem says why something is not there and offers to try again. */
export function Problem({ error, onRetry }: { error: ApiError; onRetry?: () => void }) {
  const texts = useTexts();
  return (
    <Alert
      color="coral"
      variant="light"
      icon={<IconAlertCircle aria-hidden />}
      title={texts.t('error.title')}
      role="alert"
      data-testid="problem"
      data-code={error.code}
    >
      <Stack gap="sm" align="flex-start">
        <Text size="sm">{errorText(error, texts)}</Text>
        {onRetry && (
          <Button size="xs" variant="default" onClick={onRetry}>
            {texts.t('app.retry')}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

/** Stale is shown above something old that could not be refreshed. */
export function Stale({ error }: { error?: ApiError }) {
  const texts = useTexts();
  if (!error) return null;
  return (
    <Text size="sm" c="coral.8" role="status" data-testid="stale">
      {texts.t('app.stale', { why: `${errorText(error, texts)} ` })}
    </Text>
  );
}

interface NoticeProps {
  title: string;
  text?: ReactNode;
  icon?: ReactNode;
  /** Offer the way back to the list of meetings. */
  home?: boolean;
  children?: ReactNode;
  testId?: string;
}

/** Notice is a page that consists of one message. Its title is focused so that screen readers say it. */
export function Notice({ title, text, icon, home, children, testId }: NoticeProps) {
  const { t } = useTexts();
  return (
    <Stack gap="md" align="center" ta="center" py="xl" px="md" maw={520} mx="auto" data-testid={testId}>
      {icon && (
        <Text component="span" c="lake" lh={0}>
          {icon}
        </Text>
      )}
      <PageTitle order={1} size="h2">
        {title}
      </PageTitle>
      {text && <Text c="dimmed">{text}</Text>}
      {children}
      {home && (
        <Button component={Link} to="/" variant="default">
          {t('app.back_home')}
        </Button>
      )}
    </Stack>
  );
}

/** PageTitle is the heading of a page; it names the window and takes the focus when the page appears. */
export function PageTitle({ children, order = 1, size, name }: { children: ReactNode; order?: 1 | 2; size?: string; name?: string }) {
  const { t } = useTexts();
  const heading = useRef<HTMLHeadingElement>(null);
  const title = name ?? (typeof children === 'string' ? children : '');
  useEffect(() => {
    document.title = title ? `${title} · ${t('app.name')}` : t('app.name');
  }, [title, t]);
  useEffect(() => {
    // Not when the page has put the focus into a field by itself.
    if (document.activeElement === document.body || document.activeElement === null) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <Title order={order} size={size} ref={heading} tabIndex={-1}>
      {children}
    </Title>
  );
}
