import { ActionIcon, Button, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { IconLanguage, IconMoon, IconSun } from '@tabler/icons-react';
import { useTexts } from '../i18n/index.tsx';

/** LanguageSwitch offers the other language, in that language. */
export function LanguageSwitch() {
  const { lang, setLang, t } = useTexts();
  return (
    <Button
      variant="subtle"
      color="gray"
      size="compact-md"
      fw={500}
      leftSection={<IconLanguage size={18} aria-hidden />}
      onClick={() => setLang(lang === 'zh' ? 'en' : 'zh')}
      aria-label={t('app.language')}
      lang={lang === 'zh' ? 'en' : 'zh-CN'}
      data-testid="language"
      data-lang={lang}
    >
      {t('app.language_short')}
    </Button>
  );
}

export function SchemeSwitch() {
  const { t } = useTexts();
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme('light', { getInitialValueInEffect: false }) === 'dark';
  const label = t(dark ? 'app.theme_light' : 'app.theme_dark');
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label={label} onClick={() => setColorScheme(dark ? 'light' : 'dark')} data-testid="scheme">
        {dark ? <IconSun size={19} aria-hidden /> : <IconMoon size={19} aria-hidden />}
      </ActionIcon>
    </Tooltip>
  );
}
