import { Anchor, createTheme, type CSSVariablesResolver, localStorageColorSchemeManager } from '@mantine/core';

/** The look: calm lake green, grey that leans towards it, and coral for everything that says "recording". */
export const theme = createTheme({
  primaryColor: 'lake',
  primaryShade: 8,
  colors: {
    lake: ['#e9f6f6', '#d6ebeb', '#abd7d8', '#7dc2c4', '#57b0b3', '#3fa5a8', '#2e9a9d', '#1c888b', '#08797c', '#00666a'],
    coral: ['#fff0ed', '#ffded8', '#ffbaae', '#ff9482', '#ff7a66', '#f4614b', '#e34c36', '#c93c28', '#b13321', '#97281a'],
    dark: ['#d3dcdd', '#b6c1c3', '#8f9d9f', '#67767a', '#3f4d50', '#323e41', '#1f2a2c', '#172022', '#11191b', '#0b1113'],
  },
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace',
  headings: { fontWeight: '650' },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  focusRing: 'auto',
  components: { Anchor: Anchor.extend({ defaultProps: { underline: 'always' } }) }, // colour alone does not tell a link from text
});

/** Surfaces: the page is a shade darker than what lies on it. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#ffffff',
    '--huilu-page': '#f3f6f6',
    '--huilu-line': '#e0e7e7',
    '--mantine-color-dimmed': '#566568',
    '--mantine-color-placeholder': '#6d7a7d',
    '--mantine-color-yellow-light-color': '#7a4a00', // the library's orange on yellow cannot be read
  },
  dark: {
    '--mantine-color-body': '#172022',
    '--huilu-page': '#0f1618',
    '--huilu-line': '#2b373a',
    '--mantine-color-dimmed': '#9fb0b3',
    '--mantine-color-placeholder': '#839396',
  },
});

/** The key is the one public/boot.js reads before the first paint. */
export const schemes = localStorageColorSchemeManager({ key: 'huilu-scheme' });
