import { Loader, Tooltip, UnstyledButton } from '@mantine/core';
import type { MouseEventHandler, ReactNode, Ref } from 'react';
import style from './room.module.css';

interface ControlButtonProps {
  /** What pressing does, in full. */
  label: string;
  /** The word under the icon where there is room. */
  caption: string;
  icon: ReactNode;
  onClick?: MouseEventHandler<HTMLButtonElement>;
  busy?: boolean;
  /** Drawn as a warning: something is off, or the button ends something. */
  look?: 'plain' | 'off' | 'on' | 'end';
  shortcut?: string;
  testId: string;
  state?: string;
  expanded?: boolean;
  ref?: Ref<HTMLButtonElement>;
  /** These come from a menu that the button opens. */
  className?: string;
  'aria-expanded'?: boolean;
}

/** ControlButton is one button of the bar under the meeting. */
export function ControlButton({
  label,
  caption,
  icon,
  onClick,
  busy,
  look = 'plain',
  shortcut,
  testId,
  state,
  expanded,
  ref,
  className,
  ...menu
}: ControlButtonProps) {
  return (
    <Tooltip label={shortcut ? `${label} (${shortcut.replace('Control', 'Ctrl')})` : label} openDelay={400} disabled={menu['aria-expanded'] === true}>
      <UnstyledButton
        ref={ref}
        className={className ? `${style.control} ${className}` : style.control}
        data-look={look}
        aria-label={label}
        aria-busy={busy}
        aria-expanded={expanded}
        aria-keyshortcuts={shortcut}
        onClick={busy ? undefined : onClick}
        data-testid={testId}
        data-state={state}
        {...menu}
      >
        <span className={style.controlIcon}>{busy ? <Loader size={20} color="gray.3" /> : icon}</span>
        <span className={style.controlCaption} aria-hidden="true">
          {caption}
        </span>
      </UnstyledButton>
    </Tooltip>
  );
}
