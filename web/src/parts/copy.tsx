import { ActionIcon, Button, type ButtonProps, Group, Text, TextInput, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { type ReactNode, useEffect, useState } from 'react';
import { useTexts } from '../i18n/index.tsx';

/** copyText puts text on the clipboard. Without https there is no clipboard object: the older way is tried. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.style.position = 'fixed';
    area.style.opacity = '0';
    const parent = document.activeElement?.closest('[role="dialog"]') ?? document.body; // a dialog keeps the focus inside
    parent.appendChild(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

function useCopy(text: string) {
  const { t } = useTexts();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    const done = await copyText(text);
    setCopied(done);
    if (!done) notifications.show({ color: 'coral', message: t('app.copy_failed') });
  };
  return { copied, copy };
}

interface CopyButtonProps extends ButtonProps {
  text: string;
  label: string;
  testId?: string;
}

export function CopyButton({ text, label, testId, ...props }: CopyButtonProps) {
  const { t } = useTexts();
  const { copied, copy } = useCopy(text);
  return (
    <Button
      variant="default"
      leftSection={copied ? <IconCheck size={17} aria-hidden /> : <IconCopy size={17} aria-hidden />}
      {...props}
      onClick={copy}
      data-testid={testId}
    >
      <span aria-live="polite">{copied ? t('app.copied') : label}</span>
    </Button>
  );
}

export function CopyIcon({ text, label, testId }: { text: string; label: string; testId?: string }) {
  const { t } = useTexts();
  const { copied, copy } = useCopy(text);
  return (
    <Tooltip label={copied ? t('app.copied') : label}>
      <ActionIcon variant="subtle" color={copied ? 'lake' : 'gray'} size="lg" aria-label={copied ? t('app.copied') : label} onClick={copy} data-testid={testId}>
        {copied ? <IconCheck size={18} aria-hidden /> : <IconCopy size={18} aria-hidden />}
      </ActionIcon>
    </Tooltip>
  );
}

/** CopyField shows a value that people copy rather than type. */
export function CopyField({
  label,
  value,
  help,
  testId,
  copyLabel,
  extra,
}: {
  label: string;
  value: string;
  help?: ReactNode;
  testId?: string;
  copyLabel?: string;
  extra?: ReactNode;
}) {
  const { t } = useTexts();
  return (
    <TextInput
      label={label}
      description={help}
      value={value}
      readOnly
      onFocus={(e) => e.currentTarget.select()}
      data-testid={testId}
      classNames={{ input: 'mono' }}
      rightSectionWidth={extra ? 76 : 40}
      rightSection={
        <Group gap={0} wrap="nowrap">
          {extra}
          <CopyIcon text={value} label={copyLabel ?? `${t('app.copy')}: ${label}`} testId={testId && `${testId}-copy`} />
        </Group>
      }
    />
  );
}

/** Code is a block of text with a button that copies it. */
export function Code({ text, label, testId }: { text: string; label: string; testId?: string }) {
  return (
    <div style={{ position: 'relative' }}>
      <Text
        component="pre"
        className="mono"
        fz={13}
        m={0}
        p="md"
        pr={52}
        data-testid={testId}
        tabIndex={0}
        style={{
          overflow: 'auto',
          maxHeight: 460,
          background: 'var(--huilu-page)',
          border: '1px solid var(--huilu-line)',
          borderRadius: 'var(--mantine-radius-md)',
          overflowWrap: 'normal',
        }}
      >
        {text}
      </Text>
      <div style={{ position: 'absolute', top: 8, right: 14 }}>
        <CopyIcon text={text} label={label} />
      </div>
    </div>
  );
}
