import { Group, Text } from '@mantine/core';
import { useTexts } from '../i18n/index.tsx';

/** The mark: the roof of 会 with a recording dot under it. */
export function Mark({ size = 32 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 64 64" aria-hidden="true" focusable="false" style={{ flex: 'none' }}>
      <rect width="64" height="64" rx="17" fill="#08797c" />
      <path d="M12.5 35.5 32 16l19.5 19.5" fill="none" stroke="#fff" strokeWidth="6.5" strokeLinecap="round" strokeLinejoin="round" />
      <circle cx="32" cy="43" r="8.5" fill="#ff7a66" />
    </svg>
  );
}

export function Logo({ size = 30 }: { size?: number }) {
  const { lang } = useTexts();
  return (
    <Group gap={10} wrap="nowrap">
      <Mark size={size} />
      <Text component="span" fw={700} fz={size * 0.62} lh={1} style={{ letterSpacing: lang === 'zh' ? '0.04em' : '-0.01em', whiteSpace: 'nowrap' }}>
        {lang === 'zh' ? (
          <>
            会录{' '}
            <Text component="span" c="dimmed" fw={500} fz="0.72em" style={{ letterSpacing: 0 }}>
              huilu
            </Text>
          </>
        ) : (
          'huilu'
        )}
      </Text>
    </Group>
  );
}
