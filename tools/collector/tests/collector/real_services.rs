//! Checks the properties of the services on which tests rely.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use crate::services::{Nginx, Postgres, S3};

#[test]
fn the_postgresql_fixture_survives_sigkill() {
    let Some(mut postgres) = Postgres::start() else {
        return;
    };
    assert_eq!(postgres.sql("SHOW fsync"), "on");
    postgres.sql("CREATE TABLE kept (number INTEGER)");
    for number in 0..3 {
        postgres.sql(&format!("INSERT INTO kept VALUES ({number})"));
        match number {
            2 => postgres.stop(),
            _ => postgres.kill(),
        }
        postgres.start_again();
    }
    let kept = postgres.sql("SELECT sum(number), count(*) FROM kept");
    assert_eq!(kept, "3|3");
    let database = postgres.database();
    postgres.sql_in(&database, "CREATE TABLE kept (number INTEGER)");
    let folder = postgres.folder().to_owned();
    assert!(folder.exists());
    drop(postgres);
    assert!(!folder.exists());
}

#[test]
fn the_s3_fixture_survives_sigkill() {
    let Some(mut s3) = S3::start() else {
        return;
    };
    let bucket = s3.url().replace("s3://", "");
    s3.put(&bucket, "one", b"first");
    s3.kill();
    s3.start_again();
    s3.put(&bucket, "two", b"second");
    s3.stop();
    s3.start_again();
    assert_eq!(s3.objects(&bucket), ["one", "two"]);
    assert_eq!(s3.object(&bucket, "one").unwrap(), b"first");
    assert_eq!(s3.object(&bucket, "three"), None);
    assert!(s3.objects(&s3.new_bucket()).is_empty());
    let folder = s3.folder().to_owned();
    assert!(folder.exists());
    drop(s3);
    assert!(!folder.exists());
}

#[test]
fn the_nginx_fixture_cleans_up() {
    let configure = |port, _: &_| format!("server {{ listen 127.0.0.1:{port}; return 200 here; }}");
    let Some(nginx) = Nginx::start(configure) else {
        return;
    };
    let mut stream = TcpStream::connect(nginx.address()).unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("here"), "{answer}");
    let (address, folder) = (nginx.address(), nginx.folder().to_owned());
    drop(nginx);
    assert!(TcpStream::connect(address).is_err());
    assert!(!folder.exists());
}
