mod readers;
mod vectors;
