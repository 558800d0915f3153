//! `contract_service [PORT]`: serves the harness, on port 8000 by default.

use std::{env, io, process::ExitCode};

use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    let port = match env::args().nth(1).map(|port| port.parse()) {
        None => 8000,
        Some(Ok(port)) => port,
        Some(Err(error)) => {
            eprintln!("contract_service: invalid port: {error}");
            return ExitCode::from(2);
        }
    };
    match run(port).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("contract_service: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(port: u16) -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    eprintln!("listening at http://{}", listener.local_addr()?);
    contract_service::serve(listener).await
}
