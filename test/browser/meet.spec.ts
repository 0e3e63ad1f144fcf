import { expect, test, type Page } from '@playwright/test';
import { colours, note, picture, windowOf, world } from './world';

// Decoded pictures and sound of the other person, from WebRTC's own counters.
async function watches(page: Page, name: string) {
  const tile = page.getByTestId('tile').filter({ hasText: name });
  const video = tile.getByTestId('tile-video');
  await expect(video).toBeVisible();
  const time = () => video.evaluate((v: HTMLVideoElement) => (v.videoWidth > 0 ? v.currentTime : 0));
  const before = await time();
  await expect.poll(time).toBeGreaterThan(before + 0.5);
}

async function hears(page: Page) {
  const loudest = () =>
    page.evaluate(async () => {
      const sound = document.querySelector('audio') as HTMLAudioElement | null;
      if (!sound?.srcObject) return 0;
      const audio = new AudioContext();
      const ear = audio.createAnalyser();
      audio.createMediaStreamSource(sound.srcObject as MediaStream).connect(ear);
      const wave = new Float32Array(ear.fftSize);
      let peak = 0;
      for (let i = 0; i < 60; i++) {
        await new Promise((done) => setTimeout(done, 25));
        ear.getFloatTimeDomainData(wave);
        peak = Math.max(peak, ...wave.map(Math.abs));
      }
      await audio.close();
      return peak;
    });
  await expect.poll(loudest).toBeGreaterThan(0.1);
}

async function enter(page: Page) {
  await page.goto(`/j/${world.meetingNo}`);
  await expect(page.getByTestId('join')).toBeEnabled();
}

test('two people meet, see and hear each other, and record', async ({ browser }) => {
  const [first, second] = world.people;
  const host = await windowOf(browser, first, { index: 0, name: first.name, colour: colours[0] });
  const guest = await windowOf(browser, second, { index: 1, name: second.name, colour: colours[1] });

  await enter(host);
  await picture(host, 'lobby');
  await host.getByTestId('join').click();
  await expect(host.getByTestId('room')).toHaveAttribute('data-connection', 'connected');
  await enter(guest);
  await guest.getByTestId('join').click();
  await expect(guest.getByTestId('room')).toHaveAttribute('data-people', '2');
  await expect(host.getByTestId('room')).toHaveAttribute('data-people', '2');

  await Promise.all([watches(host, second.name), watches(guest, first.name)]);
  await Promise.all([hears(host), hears(guest)]);

  // Only the host can record; everybody sees that it is on.
  await expect(guest.getByTestId('record')).toHaveCount(0);
  await host.getByTestId('record').click();
  await expect(host.getByTestId('rec-sign')).toBeVisible();
  await expect(guest.getByTestId('rec-sign')).toBeVisible();
  const signed = Date.now(); // from here on nothing may be missing
  await host.waitForTimeout(8_000); // the thing itself: time in which people talk
  await picture(host, 'meeting');
  await picture(guest, 'meeting-guest');
  await host.waitForTimeout(6_000);

  const meeting = await host.getByTestId('room').getAttribute('data-meeting-id');
  await host.getByTestId('leave-menu').click();
  await host.getByTestId('end-all').click();
  await host.getByTestId('end-confirm').click();
  await expect(guest.getByTestId('room')).toHaveCount(0);
  note({ meeting, signed });
  await expect(host.getByTestId('afterwards')).toBeVisible();
  await picture(host, 'over');
});
