// Runs before the first paint, so that a dark page does not flash white. The program keeps both choices later.
(function () {
  var stored = {};
  try {
    stored = { scheme: localStorage.getItem('huilu-scheme'), lang: localStorage.getItem('huilu-lang') };
  } catch (e) {
    // storage is switched off: the system's choices hold
  }
  var dark = stored.scheme === 'dark' || (stored.scheme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
  document.documentElement.lang = stored.lang || (/^zh/i.test(navigator.language) ? 'zh-CN' : 'en');
})();
