export function draw() {}
export function forget() {}
