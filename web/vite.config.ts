/// <reference types="vitest/config" />
import react from '@vitejs/plugin-react';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';
import { mockServer } from './dev/mock.ts';

/** compressed writes a .gz beside each text file of the build, so that the server compresses nothing while it runs. */
function compressed(): Plugin {
  return {
    name: 'huilu-compressed',
    apply: 'build',
    async writeBundle({ dir }) {
      const root = dir ?? 'dist';
      for (const entry of await readdir(root, { recursive: true })) {
        if (!/\.(js|css|html|svg)$/.test(entry)) continue;
        const body = await readFile(join(root, entry));
        if (body.length > 1024) await writeFile(join(root, `${entry}.gz`), gzipSync(body, { level: 9 }));
      }
    },
  };
}

export default defineConfig(({ command }) => ({
  plugins: [react(), compressed(), ...(command === 'serve' && !process.env.VITEST ? [mockServer()] : [])],
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false }, // every browser that can join a meeting preloads by itself
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800, // the meeting page carries the WebRTC client; it loads only there
  },
  server: { host: '127.0.0.1', port: 5173, fs: { allow: ['.'] }, proxy: { '/rtc': { target: 'http://127.0.0.1:7880', ws: true } } },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'], restoreMocks: true, testTimeout: 30_000 },
}));
