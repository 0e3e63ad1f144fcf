import { MantineProvider, type MantineThemeOverride } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { type ReactNode, useMemo } from 'react';
import { useTexts } from '../i18n/index.tsx';
import { schemes, theme, variables } from '../theme.ts';

/** Look gives the pages their theme, with the words the component library needs in the reader's language. */
export function Look({ children, env }: { children: ReactNode; env?: 'test' }) {
  const { t } = useTexts();
  const close = t('app.close');
  const worded = useMemo<MantineThemeOverride>(() => {
    const closing = { defaultProps: { closeButtonProps: { 'aria-label': close } } };
    return { ...theme, components: { ...theme.components, Modal: closing, Notification: closing } };
  }, [close]);
  return (
    <MantineProvider theme={worded} defaultColorScheme="auto" colorSchemeManager={schemes} cssVariablesResolver={variables} env={env}>
      <Notifications position="top-center" limit={4} />
      {children}
    </MantineProvider>
  );
}
