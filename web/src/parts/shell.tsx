import { Alert, Avatar, Box, Container, Group, Menu, Stack, Text, UnstyledButton } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconAlertTriangle, IconApps, IconCalendarEvent, IconChevronDown, IconLogout, IconUsers } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link, NavLink, useNavigate } from 'react-router';
import * as api from '../api/calls.ts';
import { ApiError } from '../api/client.ts';
import { useResource } from '../api/resource.ts';
import { errorText, useTexts } from '../i18n/index.tsx';
import { initials } from './format.ts';
import { Logo } from './logo.tsx';
import { useSession } from './session.tsx';
import style from './shell.module.css';
import { LanguageSwitch, SchemeSwitch } from './switches.tsx';

/** Shell is the frame of the pages for people who are signed in; quiet leaves the server's troubles out. */
export function Shell({ children, width = 960, quiet }: { children: ReactNode; width?: number; quiet?: boolean }) {
  const { t } = useTexts();
  const { me } = useSession();
  const admin = me?.user.role === 'admin';
  return (
    <>
      <a className="skip" href="#main">
        {t('app.skip')}
      </a>
      <header className={style.head}>
        <Link to="/" className={style.logo} aria-label={`${t('app.name')}: ${t('app.home')}`}>
          <Logo />
        </Link>
        {admin && (
          <nav className={style.nav} aria-label={t('app.main_nav')}>
            <Item to="/" icon={<IconCalendarEvent size={18} aria-hidden />} label={t('app.home')} />
            <Item to="/admin/apps" icon={<IconApps size={18} aria-hidden />} label={t('app.apps')} />
            <Item to="/admin/users" icon={<IconUsers size={18} aria-hidden />} label={t('app.users')} />
          </nav>
        )}
        <Group gap={4} wrap="nowrap" ml="auto">
          <LanguageSwitch />
          <SchemeSwitch />
          {me && <UserMenu />}
        </Group>
      </header>
      <Container component="main" id="main" size={width} w="100%" px="md" py={{ base: 'lg', sm: 'xl' }} pb={72}>
        {admin && !quiet && <StatusBanner />}
        {children}
      </Container>
    </>
  );
}

function Item({ to, icon, label }: { to: string; icon: ReactNode; label: string }) {
  return (
    <NavLink to={to} end={to === '/'} className={style.item}>
      {icon}
      <span>{label}</span>
    </NavLink>
  );
}

function UserMenu() {
  const texts = useTexts();
  const { t } = texts;
  const { me, logout } = useSession();
  const navigate = useNavigate();
  if (!me) return null;
  const leave = async () => {
    try {
      await logout();
      navigate('/login');
    } catch (error) {
      if (error instanceof ApiError) notifications.show({ color: 'coral', message: errorText(error, texts) });
    }
  };
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <UnstyledButton aria-label={t('app.menu', { name: me.user.name })} data-testid="user-menu" className={style.user}>
          <Avatar size={32} radius="xl" color="lake" variant="filled">
            <span aria-hidden>{initials(me.user.name)}</span>
          </Avatar>
          <IconChevronDown size={14} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Stack gap={0} px="sm" py={6}>
          <Text size="sm" fw={600} truncate data-testid="user-name">
            {me.user.name}
          </Text>
          <Text size="xs" c="dimmed" truncate>
            {me.user.email}
          </Text>
          <Text size="xs" c="dimmed" truncate>
            {me.tenant.name}
          </Text>
        </Stack>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={leave} data-testid="sign-out">
          {t('app.sign_out')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** StatusBanner tells administrators what is wrong with the server, looked up each half minute. */
function StatusBanner() {
  const { t, lang } = useTexts();
  const status = useResource('status', api.status, { every: 30_000 });
  const problems = status.data?.problems ?? [];
  if (problems.length === 0) return null;
  return (
    <Alert
      color={status.data?.ready ? 'yellow' : 'coral'}
      icon={<IconAlertTriangle aria-hidden />}
      title={t('app.not_ready')}
      mb="lg"
      role="status"
      data-testid="status-banner"
    >
      <Box component="ul" m={0} pl="md">
        {problems.map((p) => (
          <li key={p.code}>{lang === 'zh' ? p.message_zh : p.message_en}</li>
        ))}
      </Box>
    </Alert>
  );
}
