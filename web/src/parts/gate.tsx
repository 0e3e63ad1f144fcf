import { Box, Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Logo } from './logo.tsx';
import { LanguageSwitch, SchemeSwitch } from './switches.tsx';

/** Gate is a page with one card in the middle: login, consent, a refusal. */
export function Gate({ children, width = 440, foot }: { children: ReactNode; width?: number; foot?: string }) {
  return (
    <Stack gap={0} style={{ flex: 1 }}>
      <Group justify="space-between" px="md" py="sm" component="header">
        <Logo />
        <Group gap={4}>
          <LanguageSwitch />
          <SchemeSwitch />
        </Group>
      </Group>
      <Box component="main" id="main" px="md" pb={64} pt={{ base: 24, sm: '8vh' }}>
        <Box className="card" maw={width} mx="auto" p={{ base: 'lg', sm: 'xl' }}>
          {children}
        </Box>
        {foot && (
          <Text ta="center" size="sm" c="dimmed" mt="lg">
            {foot}
          </Text>
        )}
      </Box>
    </Stack>
  );
}
