/* Before anything is drawn: the theme that was chosen here, if any. No module, for those wait. */
try {
  document.documentElement.dataset.theme = localStorage.getItem("theme") ?? "";
} catch {
  // no storage, no memory: the system's theme it is
}
