import { Alert, Button, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useRef, useState } from 'react';
import { Navigate, useSearchParams } from 'react-router';
import { ApiError } from '../../api/client.ts';
import { errorText, useTexts } from '../../i18n/index.tsx';
import { localPath } from '../../parts/address.ts';
import { Gate } from '../../parts/gate.tsx';
import { useSession } from '../../parts/session.tsx';
import { Loading, PageTitle } from '../../parts/states.tsx';

export function LoginPage() {
  const { t } = useTexts();
  const { known, me } = useSession();
  const [query] = useSearchParams();
  if (known.state === 'loading') return <Loading />;
  if (me) return <Navigate to={localPath(query.get('next'))} replace />;
  return (
    <Gate width={400} foot={t('app.tagline')}>
      <Stack gap={4} mb="lg">
        <PageTitle size="h2">{t('login.title')}</PageTitle>
        <Text c="dimmed" size="sm">
          {t('login.lead')}
        </Text>
      </Stack>
      <LoginForm />
      <Text c="dimmed" size="xs" mt="lg">
        {t('login.help')}
      </Text>
    </Gate>
  );
}

function LoginForm() {
  const texts = useTexts();
  const { t } = texts;
  const { login } = useSession();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [missing, setMissing] = useState<{ email?: boolean; password?: boolean }>({});
  const [refused, setRefused] = useState('');
  const [busy, setBusy] = useState(false);
  const emailField = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);

  const submit = async (e: FormEvent) => {
    e.preventDefault();
    const lacks = { email: email.trim() === '', password: password === '' };
    setMissing(lacks);
    if (lacks.email || lacks.password) {
      (lacks.email ? emailField : passwordField).current?.focus();
      return;
    }
    setBusy(true);
    setRefused('');
    try {
      await login(email.trim(), password); // LoginPage goes on to next as soon as the session is known
    } catch (cause) {
      const error = cause instanceof ApiError ? cause : new ApiError(0, 'unexpected');
      setRefused(error.code === 'disabled' ? t('login.disabled') : error.status === 401 ? t('login.wrong') : errorText(error, texts));
      setBusy(false);
      passwordField.current?.focus();
    }
  };

  return (
    <form onSubmit={submit} noValidate data-testid="login-form">
      <Stack>
        {refused && (
          <Alert color="coral" variant="light" role="alert" data-testid="login-error">
            {refused}
          </Alert>
        )}
        <TextInput
          ref={emailField}
          label={t('login.email')}
          type="email"
          name="email"
          autoComplete="username"
          autoFocus
          size="md"
          value={email}
          onChange={(e) => setEmail(e.currentTarget.value)}
          error={missing.email && t('login.email_needed')}
          data-testid="login-email"
        />
        <PasswordInput
          ref={passwordField}
          label={t('login.password')}
          name="password"
          autoComplete="current-password"
          size="md"
          value={password}
          onChange={(e) => setPassword(e.currentTarget.value)}
          error={missing.password && t('login.password_needed')}
          data-testid="login-password"
        />
        <Button type="submit" size="md" loading={busy} data-testid="login-submit">
          {t('login.submit')}
        </Button>
      </Stack>
    </form>
  );
}
