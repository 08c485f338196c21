// Notifications of this browser: on, off, and put right where the browser's address changed meanwhile.
export async function notify() {}
