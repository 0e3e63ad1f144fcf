import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from 'react-router';
import { router } from './app.tsx';
import { LanguageProvider } from './i18n/index.tsx';
import { Look } from './parts/look.tsx';
import { SessionProvider } from './parts/session.tsx';
import './styles.css';

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <LanguageProvider>
      <Look>
        <SessionProvider>
          <RouterProvider router={router} />
        </SessionProvider>
      </Look>
    </LanguageProvider>
  </StrictMode>,
);
