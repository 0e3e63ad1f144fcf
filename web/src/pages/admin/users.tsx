import { Alert, Badge, Button, Group, Modal, Stack, Table, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import * as api from '../../api/calls.ts';
import { useResource } from '../../api/resource.ts';
import type { User } from '../../api/types.ts';
import { useTexts } from '../../i18n/index.tsx';
import { CopyIcon } from '../../parts/copy.tsx';
import { RequireAdmin } from '../../parts/require.tsx';
import { useSession } from '../../parts/session.tsx';
import { Shell } from '../../parts/shell.tsx';
import { Loading, PageTitle, Problem } from '../../parts/states.tsx';
import { useSaving } from './save.tsx';

export function UsersPage() {
  return (
    <RequireAdmin>
      <Shell>
        <Users />
      </Shell>
    </RequireAdmin>
  );
}

function Users() {
  const { t } = useTexts();
  const { me } = useSession();
  const users = useResource('users', api.users);
  const [making, { open, close }] = useDisclosure(false);
  return (
    <>
      <Group justify="space-between" align="flex-end" mb="lg">
        <Stack gap={2} style={{ flex: '1 1 300px' }}>
          <PageTitle size="h2">{t('users.title')}</PageTitle>
          <Text c="dimmed" size="sm">
            {t('users.lead', { tenant: me?.tenant.name ?? '' })}
          </Text>
        </Stack>
        <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={open} data-testid="new-user">
          {t('users.new')}
        </Button>
      </Group>
      {users.state === 'loading' && <Loading />}
      {users.state === 'error' && <Problem error={users.error} onRetry={users.reload} />}
      {users.state === 'ready' && <UserTable users={users.data} onChanged={users.reload} />}
      <Modal opened={making} onClose={close} title={t('users.new')} centered>
        <NewUser
          onMade={() => {
            close();
            users.reload();
          }}
          onCancel={close}
        />
      </Modal>
    </>
  );
}

function UserTable({ users, onChanged }: { users: User[]; onChanged: () => void }) {
  const { t } = useTexts();
  const { me } = useSession();
  const [asking, setAsking] = useState<User | null>(null);
  const { busy, refused, run } = useSaving();
  const set = async (u: User, disabled: boolean) => {
    if (await run(() => api.changeUser(u.id, { disabled }))) onChanged();
    setAsking(null);
  };
  if (users.length === 0) return <Text>{t('users.empty')}</Text>;
  return (
    <Stack>
      {refused && (
        <Alert color="coral" variant="light" role="alert">
          {refused.text}
        </Alert>
      )}
      <div className="card">
        <Table.ScrollContainer minWidth={560}>
          <Table verticalSpacing="sm" horizontalSpacing="md" data-testid="users">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('users.name')}</Table.Th>
                <Table.Th>{t('users.id')}</Table.Th>
                <Table.Th>{t('users.role')}</Table.Th>
                <Table.Th>{t('users.state')}</Table.Th>
                <Table.Th>
                  <span className="hidden">{t('users.change')}</span>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {users.map((u) => (
                <Table.Tr key={u.id} data-testid="user" data-email={u.email} data-disabled={u.disabled}>
                  <Table.Td>
                    <Text size="sm" fw={500}>
                      {u.id === me?.user.id ? t('users.you', { name: u.name }) : u.name}
                    </Text>
                    <Text size="xs" c="dimmed">
                      {u.email}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    <Group gap={2} wrap="nowrap">
                      <Text size="sm" className="mono" style={{ whiteSpace: 'nowrap' }}>
                        {u.id}
                      </Text>
                      <CopyIcon text={u.id} label={`${t('app.copy')}: ${t('users.id')}`} />
                    </Group>
                  </Table.Td>
                  <Table.Td>{t(u.role === 'admin' ? 'users.admin' : 'users.member')}</Table.Td>
                  <Table.Td>
                    <Badge tt="none" radius="sm" variant="light" color={u.disabled ? 'gray' : 'lake'}>
                      {t(u.disabled ? 'users.off' : 'users.active')}
                    </Badge>
                  </Table.Td>
                  <Table.Td ta="end">
                    {u.id !== me?.user.id && (
                      <Button
                        size="xs"
                        variant="default"
                        onClick={() => (u.disabled ? void set(u, false) : setAsking(u))}
                        aria-label={t(u.disabled ? 'users.enable' : 'users.disable', { name: u.name })}
                        data-testid="user-toggle"
                      >
                        {t(u.disabled ? 'users.enable_short' : 'users.disable_short')}
                      </Button>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </div>
      <Modal opened={asking !== null} onClose={() => setAsking(null)} title={t('users.disable_title', { name: asking?.name ?? '' })} centered>
        <Text size="sm" mb="md">
          {t('users.disable_text')}
        </Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={() => setAsking(null)} data-autofocus>
            {t('app.cancel')}
          </Button>
          <Button color="coral.7" loading={busy} onClick={() => asking && set(asking, true)} data-testid="user-disable-confirm">
            {t('users.disable_short')}
          </Button>
        </Group>
      </Modal>
    </Stack>
  );
}

const minPassword = 10; // as package tenant has it

/** inventPassword draws 16 letters and digits that are not mistaken for each other. */
export function inventPassword(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'; // 55: below, 220 is its largest multiple in a byte
  let made = '';
  while (made.length < 16) {
    for (const byte of crypto.getRandomValues(new Uint8Array(32))) {
      if (byte < 220 && made.length < 16) made += letters[byte % 55];
    }
  }
  return made;
}

function NewUser({ onMade, onCancel }: { onMade: () => void; onCancel: () => void }) {
  const { t } = useTexts();
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [bad, setBad] = useState<{ name?: string; email?: string; password?: string }>({});
  const { busy, refused, run } = useSaving();
  const submit = async (e: FormEvent) => {
    e.preventDefault();
    const wrong = {
      name: name.trim() ? undefined : t('users.name_needed'),
      email: /^[^\s@]+@[^\s@]+$/.test(email.trim()) ? undefined : t('users.email_bad'),
      password: Array.from(password).length >= minPassword ? undefined : t('users.password_bad'),
    };
    setBad(wrong);
    if (wrong.name || wrong.email || wrong.password) return;
    if (await run(() => api.createUser({ name: name.trim(), email: email.trim(), password }), t('users.created', { name: name.trim() }))) onMade();
  };
  const field = refused?.error.field;
  const about = (which: string) => (field === which ? refused?.text : undefined);
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {refused && !['name', 'email', 'password'].includes(field ?? '') && (
          <Alert color="coral" variant="light" role="alert">
            {refused.text}
          </Alert>
        )}
        <TextInput
          label={t('users.name')}
          value={name}
          maxLength={60}
          onChange={(e) => setName(e.currentTarget.value)}
          error={bad.name ?? about('name')}
          data-autofocus
          data-testid="user-name-field"
        />
        <TextInput
          label={t('users.email')}
          type="email"
          value={email}
          autoComplete="off"
          onChange={(e) => setEmail(e.currentTarget.value)}
          error={bad.email ?? about('email')}
          data-testid="user-email"
        />
        <TextInput
          label={t('users.password')}
          description={t('users.password_help')}
          value={password}
          autoComplete="new-password"
          onChange={(e) => setPassword(e.currentTarget.value)}
          error={bad.password ?? about('password')}
          classNames={{ input: 'mono' }}
          rightSection={password && <CopyIcon text={password} label={t('app.copy')} />}
          data-testid="user-password"
        />
        <Group justify="space-between">
          <Button variant="subtle" onClick={() => setPassword(inventPassword())} data-testid="user-generate">
            {t('users.generate')}
          </Button>
          <Group gap="xs">
            <Button variant="default" onClick={onCancel}>
              {t('app.cancel')}
            </Button>
            <Button type="submit" loading={busy} data-testid="user-create">
              {t('users.create')}
            </Button>
          </Group>
        </Group>
      </Stack>
    </form>
  );
}
